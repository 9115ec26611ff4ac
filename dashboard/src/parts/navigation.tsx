import { useEffect, useRef } from "preact/hooks";
import { COUNTRY } from "../api/region";
import { maySee, who } from "../api/session";
import { href, type Route, route } from "../router";
import { type Key, language, t } from "../words";

const ANY_DAY = { day: null, until: null, machine: null, field: null, show: null };
const ANY_DEVICE = { device: null, state: null, alerts: null, acknowledged: null };

/** The region of who looks at one, the country of who looks at more; null: farms alone. */
export function areaSeen(): string | null {
  const one = who.value;
  if (one.state === "visitor") return COUNTRY;
  if (one.state !== "person") return null;
  const [region, ...others] = one.session.regions;
  if (region !== undefined) return others.length === 0 ? region : COUNTRY;
  return one.session.farms === null ? COUNTRY : null;
}

/** What is the first thing to see for who is here to look at regions; null: the farms. */
export function areaFirst(): string | null {
  const one = who.value;
  return one.state === "person" && one.session.regions.length > 0 ? areaSeen() : null;
}

interface Entry {
  readonly words: Extract<Key, `nav.${string}`>;
  readonly to: Route;
  readonly at: readonly Route["name"][]; // the places that count as being there
}

/** Every screen that the frame leads to, in order; those of a farm while one is at a farm. */
function entries(farm: string | null): Entry[] {
  const ofFarm: Entry[] =
    farm === null
      ? []
      : [
          {
            words: "nav.today",
            to: { name: "today", farm, day: null, field: null },
            at: ["today", "field"],
          },
          {
            words: "nav.savings",
            to: { name: "savings", farm, season: null },
            at: ["savings", "method"],
          },
          {
            words: "nav.machines",
            to: { name: "machines", farm, ...ANY_DAY },
            at: ["machines"],
          },
          {
            words: "nav.yield",
            to: { name: "yield", farm, season: null, field: null, points: null },
            at: ["yield"],
          },
          ...(maySee("read:devices")
            ? [
                {
                  words: "nav.devices",
                  to: { name: "devices", farm, ...ANY_DEVICE },
                  at: ["devices", "claim"],
                } as const,
              ]
            : []),
        ];
  const area = areaSeen();
  const ofArea: Entry[] =
    area === null
      ? []
      : [
          {
            words: area === COUNTRY ? "nav.country" : "nav.region",
            to: { name: "region", region: area, season: null, by: null },
            at: ["region"],
          },
        ];
  return [
    ...ofFarm,
    ...ofArea,
    { words: "nav.farms", to: { name: "farms" }, at: ["home", "farms"] },
  ];
}

export function Navigation() {
  const at = route.value;
  const farm = "farm" in at ? at.farm : null;
  const found = entries(farm);
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone not every place is in the window: the one where one is shall be.
    const here = bar.current?.querySelector<HTMLElement>("[aria-current]");
    if (here && bar.current)
      bar.current.scrollLeft = here.offsetLeft - (bar.current.clientWidth - here.offsetWidth) / 2;
  }, [at.name, language.value]);
  if (found.length === 1 && (at.name === "home" || at.name === "farms")) return null; // nowhere else to go
  return (
    <nav aria-label={t("app.menu")} ref={bar}>
      {found.map((entry) => (
        <a
          key={entry.words}
          href={href(entry.to)}
          aria-current={entry.at.includes(at.name) ? "page" : undefined}
        >
          {t(entry.words)}
        </a>
      ))}
    </nav>
  );
}
