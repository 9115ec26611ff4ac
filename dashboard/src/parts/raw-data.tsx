import type { FarmSummary } from "../api/schema";
import { named, t } from "../words";
import { WholeTable } from "./whole-table";

/** What savings were made of, as files: the results, the balances, what people entered. */
export function RawData({ farm, of }: { farm: string; of: FarmSummary }) {
  const slug = encodeURIComponent(farm);
  const season = of.season === null ? "" : `&season=${of.season}`;
  const lists = [
    [t("raw.irrigation"), "irrigation-events"],
    [t("raw.adjustments"), "adjustments"],
    [t("raw.loads"), "harvest-loads"],
  ] as const;
  return (
    <section class="card stack" aria-labelledby="raw">
      <h2 id="raw">{t("savings.raw")}</h2>
      <ul class="links">
        <li>
          <a href={`/v1/farms/${slug}/summary?format=csv${season}`} download>
            {t("raw.summary")} (CSV)
          </a>
        </li>
        {lists.map(([words, list]) => (
          <li key={list}>
            <WholeTable address={`/v1/${list}?farm=${slug}&format=csv`} name={`${farm}-${list}`}>
              {words} (CSV)
            </WholeTable>
          </li>
        ))}
      </ul>
      {of.crop_zones.length > 0 && (
        <details>
          <summary>{t("raw.balances")}</summary>
          <ul class="links">
            {of.crop_zones.map((zone) => (
              <li key={zone.id}>
                <a
                  href={`/v1/fields/${zone.field_id}/water-balance?format=csv${season}&crop_zone=${zone.id}`}
                  download
                >
                  {zone.field}, {named("crop", zone.crop)} (CSV)
                </a>
              </li>
            ))}
          </ul>
        </details>
      )}
      <p class="small quiet">{t("raw.more")}</p>
    </section>
  );
}
