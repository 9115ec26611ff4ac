import { render } from "preact";
import { useEffect } from "preact/hooks";
import "./styles/page.css";
import { follow } from "./api/live";
import { whenSignedOut } from "./api/resource";
import { leave, recognise, who } from "./api/session";
import { begin } from "./display";
import { keepForOffline } from "./offline";
import { prepareMap } from "./parts/field-map";
import { offerWater } from "./parts/fills";
import { Frame } from "./parts/frame";
import { offerSigns } from "./parts/signs";
import { Empty, Loading, Title } from "./parts/states";
import { go, href, listen, type Route, route } from "./router";
import { Claim } from "./screens/claim";
import { Devices } from "./screens/devices";
import { Farms, Home } from "./screens/farms";
import { FieldScreen } from "./screens/field";
import { Machines } from "./screens/machines";
import { Method } from "./screens/method";
import { NewPassword } from "./screens/new-password";
import { Region } from "./screens/region";
import { Savings } from "./screens/savings";
import { SignIn } from "./screens/sign-in";
import { Today } from "./screens/today";
import { Yields } from "./screens/yield";
import { t } from "./words";

function Page() {
  const at = route.value;
  const { state } = who.value;
  const outside = state === "nobody" && at.name !== "sign-in" && at.name !== "password";
  useEffect(() => {
    if (outside) go({ name: "sign-in", back: href(at) }, true);
  }, [outside]);
  if (at.name === "sign-in") return <SignIn back={at.back} />;
  if (at.name === "password") return <NewPassword />;
  if (outside) return null;
  return (
    <Frame>
      {state === "unknown" ? (
        <Loading />
      ) : state === "unreachable" ? (
        <Unreachable />
      ) : (
        <Screen at={at} />
      )}
    </Frame>
  );
}

function Screen({ at }: { at: Route }) {
  switch (at.name) {
    case "home":
      return <Home />;
    case "farms":
      return <Farms />;
    case "today":
      return <Today key={at.farm} at={at} />;
    case "field":
      return <FieldScreen key={at.field} at={at} />;
    case "method":
      return <Method key={at.farm} at={at} />;
    case "savings":
      return <Savings key={at.farm} at={at} />;
    case "machines":
      return <Machines key={at.farm} at={at} />;
    case "yield":
      return <Yields key={at.farm} at={at} />;
    case "devices":
      return <Devices key={at.farm} at={at} />;
    case "claim":
      return <Claim key={at.farm} at={at} />;
    case "region":
      return <Region key={at.region} at={at} />;
    default:
      return (
        <Empty title={t("app.not_found")} more={t("app.not_found_more")}>
          <a class="button" href={href({ name: "farms" })}>
            {t("app.home")}
          </a>
        </Empty>
      );
  }
}

function Unreachable() {
  return (
    <div class="card message alarm" role="alert">
      <Title title={t("state.failed")}>{t("state.failed")}</Title>
      <p>{t("state.unreachable")}</p>
      <button type="button" onClick={() => void recognise()}>
        {t("app.retry")}
      </button>
    </div>
  );
}

async function start(): Promise<void> {
  listen();
  // The map's engine is on its way while nobody knows yet who asks.
  if (route.value.name === "today") void prepareMap().catch(() => {});
  whenSignedOut(() => leave(true));
  await Promise.all([begin(), recognise()]);
  offerWater();
  offerSigns();
  follow();
  keepForOffline();
  const place = document.getElementById("page");
  if (place) render(<Page />, place);
}

void start();
