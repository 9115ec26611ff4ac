import { href, type Route, route } from "../router";
import { type Key, t } from "../words";

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
        ];
  return [...ofFarm, { words: "nav.farms", to: { name: "farms" }, at: ["farms"] }];
}

export function Navigation() {
  const at = route.value;
  const farm = "farm" in at ? at.farm : null;
  const found = entries(farm);
  if (found.length === 1 && at.name === "farms") return null; // nowhere else to go
  return (
    <nav aria-label={t("app.menu")}>
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
