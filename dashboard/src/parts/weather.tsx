import type { ExpectedDay } from "../api/schema";
import { day as dayText, depthNumber, depthUnitName } from "../format";
import { t } from "../words";

const SOURCES = ["forecast", "climatology", "persistence", "measured"] as const;

/** The weather that the advice counts on, and where it is from. */
export function Weather({ days }: { days: readonly ExpectedDay[] }) {
  return (
    <details class="card stack" open={matchMedia("(min-width: 1080px)").matches}>
      <summary>
        <h2>{t("today.weather")}</h2>
      </summary>
      <p class="small quiet">{[...new Set(days.map(sourceOf))].join(", ")}</p>
      <table class="dense">
        <thead>
          <tr>
            <th scope="col">{t("today.day")}</th>
            <th scope="col" class="number">
              {t("today.rain")}, {depthUnitName()}
            </th>
            <th scope="col" class="number">
              {t("today.et0")}, {depthUnitName()}
            </th>
          </tr>
        </thead>
        <tbody>
          {days.map((one) => (
            <tr key={one.day}>
              <th scope="row">{dayText(one.day)}</th>
              <td class="number">{depthNumber(one.rain_mm, 1)}</td>
              <td class="number">{depthNumber(one.et0_mm, 1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function sourceOf(one: ExpectedDay): string {
  const known = SOURCES.find((source) => source === one.source);
  return known ? t(`weather.${known}`) : one.source;
}
