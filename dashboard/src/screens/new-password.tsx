import { useSignal } from "@preact/signals";
import type { Failure } from "../api/client";
import { setPassword } from "../api/session";
import { Entrance } from "../parts/entrance";
import { useSending } from "../parts/sending";
import { reasonOf } from "../parts/states";
import { decoded, go } from "../router";
import { t } from "../words";

const SHORTEST = 12; // as the service demands

/** Where a link of the administrator leads: choose a password, once. */
export function NewPassword() {
  // Behind the number sign: what stands there is sent to no server and stands in no log.
  const token = useSignal(decoded(location.hash.slice(1)));
  const [fresh, again] = [useSignal(""), useSignal("")];
  const { busy, failure, send } = useSending();
  const done = useSignal(false);
  const differs = again.value !== "" && again.value !== fresh.value;

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (fresh.value !== again.value) return;
    await send(async () => {
      await setPassword(token.value.trim(), fresh.value);
      done.value = true;
      history.replaceState(null, "", "/password"); // the link is spent
    });
  }

  return (
    <Entrance title={t("password.title")} lead={t("password.lead")}>
      {done.value ? (
        <div class="card stack" role="status">
          <p>{t("password.done")}</p>
          <button
            type="button"
            class="primary"
            onClick={() => go({ name: "sign-in", back: "/" }, true)}
          >
            {t("session.title")}
          </button>
        </div>
      ) : (
        <form class="card stack" onSubmit={(event) => void submit(event)}>
          <label>
            <span>{t("password.token")}</span>
            <input
              value={token.value}
              required
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              onInput={(event) => {
                token.value = event.currentTarget.value;
              }}
            />
          </label>
          <label>
            <span>{t("password.fresh")}</span>
            <input
              type="password"
              value={fresh.value}
              minLength={SHORTEST}
              required
              autocomplete="new-password"
              aria-describedby="length"
              onInput={(event) => {
                fresh.value = event.currentTarget.value;
              }}
            />
          </label>
          <p class="small quiet" id="length">
            {t("password.length", { count: SHORTEST })}
          </p>
          <label>
            <span>{t("password.again")}</span>
            <input
              type="password"
              value={again.value}
              required
              autocomplete="new-password"
              aria-invalid={differs}
              aria-describedby="differs"
              onInput={(event) => {
                again.value = event.currentTarget.value;
              }}
            />
          </label>
          <div role="alert" id="differs">
            {differs && <p class="small">{t("password.differs")}</p>}
            {failure.value && <p class="card message alarm">{explain(failure.value)}</p>}
          </div>
          <button type="submit" class="primary" disabled={busy.value || differs}>
            {t("password.submit")}
          </button>
        </form>
      )}
    </Entrance>
  );
}

function explain(failure: Failure): string {
  if (failure.status === 401 || failure.status === 403) return t("password.spent");
  if (failure.problem?.type.endsWith(":weak-password")) return t("password.weak");
  if (failure.kind === "unreachable") return t("state.unreachable");
  return reasonOf(failure);
}
