import { useMemo } from "preact/hooks";
import type { BalanceDay, WaterBalanceOut, ZoneAdvice } from "../api/schema";
import { day as dayText, depth, depthFactor, depthUnitName, number } from "../format";
import { column, expectedDepletion, joined, type SeasonDays } from "../model/season";
import { language, t } from "../words";
import { Chart, type Series } from "./chart";
import { DayTable } from "./day-table";
import { Empty } from "./states";
import { Unfold } from "./unfold";

/** How a field's water went: soil, what came in, what the crop used; and the same as a table. */
export function SeasonCharts({
  balance,
  zone,
  mark,
}: {
  balance: WaterBalanceOut;
  zone: ZoneAdvice | null;
  mark: string | null;
}) {
  const factor = depthFactor();
  const unit = depthUnitName();
  const season = useMemo(() => joined(balance.days, zone?.days ?? []), [balance, zone]);
  const charts = useMemo(
    () => chartsOf(season, factor, zone !== null && zone.days.length > 0),
    [season, factor, zone, language.value], // legends are words
  );
  const last = balance.days.at(-1);
  if (last === undefined)
    return <Empty title={t("field.no_days")} more={t("field.no_days_more")} />;
  const first = balance.days[0]?.day ?? last.day;
  const summary = t("field.chart_summary", {
    first: dayText(first, "year"),
    last: dayText(last.day, "year"),
    value: depth(last.depletion_mm),
    line: depth(last.raw_mm),
  });
  const say = (value: number | null) => number(value, factor === 1 ? 1 : 0);
  const shared = { days: season.days, unit, say, summary, mark };
  return (
    <>
      <Chart
        id="soil"
        title={t("field.soil_water")}
        help={t("field.soil_water_help")}
        series={charts.soil}
        downwards
        height={300}
        {...shared}
      />
      <div class="pair">
        <Chart
          id="inputs"
          title={t("field.inputs")}
          series={charts.inputs}
          height={220}
          {...shared}
        />
        <Chart id="et" title={t("field.et")} series={charts.et} height={220} {...shared} />
      </div>
      <Unfold title={t("field.table")}>{() => <DayTable days={balance.days} />}</Unfold>
      <p class="small quiet">{t("field.last_day", { day: dayText(last.day, "year") })}</p>
    </>
  );
}

type Figure = (day: BalanceDay) => number | null; // mm

/** What each chart shows. [the unit of depths that is chosen] */
function chartsOf(season: SeasonDays, factor: number, planned: boolean) {
  const series = (kind: Series["kind"], label: string, colour: string, of: Figure): Series => ({
    kind,
    label,
    colour,
    values: column(season, of, factor),
  });
  const soil = [
    series("area", t("field.depletion"), "--accent", (day) => day.depletion_mm),
    series("dashed", t("field.refill_line"), "--alarm", (day) => day.raw_mm),
    series("dotted", t("field.wilting"), "--quiet", (day) => day.taw_mm),
  ];
  const measured = series(
    "points",
    t("field.measured"),
    "--eta",
    (day) => day.measured_depletion_mm,
  );
  if (measured.values.some((value) => value !== null)) soil.push(measured);
  if (planned) {
    const values = expectedDepletion(season, factor);
    soil.push({ kind: "dashed", label: t("field.planned"), colour: "--etc", values });
  }
  return {
    soil,
    inputs: [
      series("bars", t("field.rain"), "--rain", (day) => day.rain_mm),
      series("bars", t("field.irrigation"), "--irrigation", (day) => day.irrigation_net_mm),
    ],
    et: [
      series("line", t("field.eta"), "--eta", (day) => day.eta_mm),
      series("dashed", t("field.etc"), "--etc", (day) => day.etc_mm),
    ],
  };
}
