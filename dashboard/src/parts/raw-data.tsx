import type { FarmSummary } from "../api/schema";
import { named, t } from "../words";

/** What savings were made of, as files: the results, the balances, what people entered. */
export function RawData({ farm, of }: { farm: string; of: FarmSummary }) {
  const slug = encodeURIComponent(farm);
  const season = of.season === null ? "" : `&season=${of.season}`;
  const files = [
    [t("raw.summary"), `/v1/farms/${slug}/summary?format=csv${season}`],
    [t("raw.irrigation"), `/v1/irrigation-events?farm=${slug}&limit=1000&format=csv`],
    [t("raw.adjustments"), `/v1/adjustments?farm=${slug}&limit=1000&format=csv`],
    [t("raw.loads"), `/v1/harvest-loads?farm=${slug}&limit=1000&format=csv`],
  ] as const;
  return (
    <section class="card stack" aria-labelledby="raw">
      <h2 id="raw">{t("savings.raw")}</h2>
      <ul class="links">
        {files.map(([words, address]) => (
          <li key={address}>
            <a href={address} download>
              {words} (CSV)
            </a>
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
