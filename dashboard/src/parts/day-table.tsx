import type { BalanceDay } from "../api/schema";
import { day as dayText, depthNumber, depthUnitName } from "../format";
import { t } from "../words";

/** The charts' twin: every figure they draw, day by day, the newest first. */
export function DayTable({ days }: { days: readonly BalanceDay[] }) {
  const unit = depthUnitName();
  const columns = [
    [t("field.depletion"), (day: BalanceDay) => day.depletion_mm],
    [t("field.measured"), (day: BalanceDay) => day.measured_depletion_mm],
    [t("field.refill_line"), (day: BalanceDay) => day.raw_mm],
    [t("field.wilting"), (day: BalanceDay) => day.taw_mm],
    [t("field.rain"), (day: BalanceDay) => day.rain_mm],
    [t("field.irrigation"), (day: BalanceDay) => day.irrigation_net_mm],
    [t("field.etc_total"), (day: BalanceDay) => day.etc_mm],
    [t("field.eta_total"), (day: BalanceDay) => day.eta_mm],
  ] as const;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="days" tabIndex={0} aria-label={t("field.table")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("field.day")}</th>
            {columns.map(([name]) => (
              <th key={name} scope="col" class="number">
                {name}, {unit}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days.toReversed().map((day) => (
            <tr key={day.day}>
              <th scope="row">{dayText(day.day)}</th>
              {columns.map(([name, pick]) => (
                <td key={name} class="number">
                  {depthNumber(pick(day), 1)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
