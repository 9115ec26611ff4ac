import { useMemo } from "preact/hooks";
import type { WaterBalanceOut, ZoneAdvice } from "../api/schema";
import { day as dayText, depth, depthFactor, depthUnitName, number } from "../format";
import { column, expectedDepletion, joined } from "../model/season";
import { t } from "../words";
import { Chart } from "./chart";
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
  const charts = useMemo(() => {
    const measured = column(season, (day) => day.measured_depletion_mm, factor);
    return {
      soil: [
        {
          label: t("field.depletion"),
          kind: "area",
          colour: "--accent",
          values: column(season, (day) => day.depletion_mm, factor),
        },
        {
          label: t("field.refill_line"),
          kind: "dashed",
          colour: "--alarm",
          values: column(season, (day) => day.raw_mm, factor),
        },
        {
          label: t("field.wilting"),
          kind: "dotted",
          colour: "--quiet",
          values: column(season, (day) => day.taw_mm, factor),
        },
        ...(measured.some((value) => value !== null)
          ? [
              {
                label: t("field.measured"),
                kind: "points",
                colour: "--eta",
                values: measured,
              } as const,
            ]
          : []),
        ...(zone && zone.days.length > 0
          ? [
              {
                label: t("field.planned"),
                kind: "dashed",
                colour: "--etc",
                values: expectedDepletion(season, factor),
              } as const,
            ]
          : []),
      ],
      inputs: [
        {
          label: t("field.rain"),
          kind: "bars",
          colour: "--rain",
          values: column(season, (day) => day.rain_mm, factor),
        },
        {
          label: t("field.irrigation"),
          kind: "bars",
          colour: "--irrigation",
          values: column(season, (day) => day.irrigation_net_mm, factor),
        },
      ],
      et: [
        {
          label: t("field.eta"),
          kind: "line",
          colour: "--eta",
          values: column(season, (day) => day.eta_mm, factor),
        },
        {
          label: t("field.etc"),
          kind: "dashed",
          colour: "--etc",
          values: column(season, (day) => day.etc_mm, factor),
        },
      ],
    } as const;
  }, [season, zone, factor, unit]);
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
