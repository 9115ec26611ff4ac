import { useMemo } from "preact/hooks";
import type { BalanceDay, SoilMoistureOut } from "../api/schema";
import { useSoilMoisture } from "../api/soil";
import { day as dayText, NONE, number, percent } from "../format";
import { dayAt } from "../model/days";
import { type DepthsOnTime, onOneTime } from "../model/depths";
import { language, t } from "../words";
import { Chart, type Series } from "./chart";
import { Failed, Loading } from "./states";
import { Unfold } from "./unfold";

const COLOURS = ["--depth-1", "--depth-2", "--depth-3", "--depth-4", "--depth-5"];
const KINDS = ["line", "dashed", "dotted"] as const; // colour is never alone

/** Soil water by depth, as probes measured it, beside the mean that the balance simulates. */
export function SoilDepths(props: {
  field: number;
  season: number;
  zone: number;
  days: readonly BalanceDay[];
  timezone: string;
}) {
  const soil = useSoilMoisture(props.field, props.season, props.zone);
  if (soil.failure?.kind === "denied" || soil.failure?.kind === "gone") return null;
  if (soil.value === undefined) {
    return soil.failure ? <Failed failure={soil.failure} retry={soil.retry} /> : <Loading />;
  }
  if (soil.value.depths.length === 0) {
    return <p class="card small quiet">{t("field.no_probe")}</p>;
  }
  return <Depths soil={soil.value} days={props.days} timezone={props.timezone} />;
}

function Depths(props: { soil: SoilMoistureOut; days: readonly BalanceDay[]; timezone: string }) {
  const { soil, days, timezone } = props;
  const found = useMemo(
    () => onOneTime(soil, days, (day) => Date.parse(dayAt(day, timezone).end)),
    [soil, days, timezone],
  );
  const series = useMemo(() => seriesOf(soil, found), [soil, found, language.value]);
  const low = useMemo(() => Math.floor(lowest(series) / 5) * 5, [series]);
  return (
    <>
      <Chart
        id="depths"
        title={t("field.by_depth")}
        help={t("field.by_depth_help")}
        summary={summaryOf(found)}
        unit={t("unit.volume_share")}
        days={[]}
        moments={found.moments}
        series={series}
        low={low}
        say={(value) => number(value, 1)}
        height={280}
      />
      <Unfold title={t("field.by_depth_table")}>
        {() => <DepthTable found={found} timezone={timezone} />}
      </Unfold>
    </>
  );
}

function seriesOf(soil: SoilMoistureOut, found: DepthsOnTime): Series[] {
  const level = (value: number | null) => found.moments.map(() => (value ?? 0) * 100);
  const measured = found.depths.map(
    (one, index): Series => ({
      label: t("field.depth_of", { depth: number(one.depthCm) }),
      kind: KINDS[Math.floor(index / COLOURS.length) % KINDS.length] ?? "line",
      colour: COLOURS[index % COLOURS.length] ?? "--ink",
      values: one.values,
    }),
  );
  if (soil.theta_fc_m3_m3 === null) return measured;
  return [
    ...measured,
    {
      label: t("field.simulated"),
      kind: "dashed",
      colour: "--ink",
      values: found.simulated,
      joined: true,
    },
    {
      label: t("field.capacity"),
      kind: "dotted",
      colour: "--accent",
      values: level(soil.theta_fc_m3_m3),
    },
    {
      label: t("field.wilting"),
      kind: "dotted",
      colour: "--alarm",
      values: level(soil.theta_wp_m3_m3),
    },
  ];
}

function lowest(series: readonly Series[]): number {
  let low = 100;
  for (const one of series)
    for (const value of one.values) if (value !== null && value < low) low = value;
  return low;
}

function summaryOf(found: DepthsOnTime): string {
  const last = found.depths.map((one) => {
    const value = one.values.findLast((each) => each !== null) ?? null;
    return `${t("field.depth_of", { depth: number(one.depthCm) })} ${percent(value === null ? null : value / 100, 1)}`;
  });
  return t("field.by_depth_summary", { values: last.join(", ") });
}

/** The chart's twin: the last value of each day in each depth, the newest first. */
function DepthTable({ found, timezone }: { found: DepthsOnTime; timezone: string }) {
  const rows = useMemo(() => evenings(found, timezone), [found, timezone]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="days" tabIndex={0} aria-label={t("field.by_depth_table")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("field.day")}</th>
            {found.depths.map((one) => (
              <th key={`${one.device} ${one.depthCm}`} scope="col" class="number">
                {t("field.depth_of", { depth: number(one.depthCm) })}, {t("unit.volume_share")}
              </th>
            ))}
            <th scope="col" class="number">
              {t("field.simulated")}, {t("unit.volume_share")}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ day, values }) => (
            <tr key={day}>
              <th scope="row">{dayText(day)}</th>
              {values.map((value, index) => (
                <td key={index} class="number">
                  {value === null ? NONE : number(value, 1)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface Evening {
  readonly day: string;
  readonly values: (number | null)[];
}

function evenings(found: DepthsOnTime, timezone: string): Evening[] {
  const columns = found.depths.map((one) => one.values);
  const days = new Map<string, (number | null)[]>();
  const local = new Intl.DateTimeFormat("sv", { timeZone: timezone }); // Swedes write ISO 8601
  const put = (day: string, place: number, value: number | null | undefined) => {
    if (value === null || value === undefined) return;
    const values = days.get(day) ?? [...columns, null].map(() => null);
    values[place] = value;
    days.set(day, values);
  };
  found.moments.forEach((at, index) => {
    const day = local.format(at);
    columns.forEach((column, place) => {
      put(day, place, column[index]);
    });
    const simulated = found.simulated[index];
    if (simulated != null) put(local.format(at - 1), columns.length, simulated); // midnight ends the day
  });
  return [...days]
    .map(([day, values]) => ({ day, values }))
    .sort((a, b) => b.day.localeCompare(a.day));
}
