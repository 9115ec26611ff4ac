import type { Saving, Water } from "../api/schema";
import { area, depth, NONE, number } from "../format";
import { type Estimate, type Ranked, ranked } from "../model/ranking";
import { t } from "../words";
import { Table } from "./table";

/** A farm, a district or a region as a line to be compared. */
export interface Line {
  readonly key: string;
  readonly name: string;
  readonly to: string | null; // where it leads
  readonly area_ha: number;
  readonly water: Water;
}

export type By = "real" | "apparent";

/** What was saved on each hectare that a baseline is known for. [mm] */
function estimateOf(line: Line, by: By): Estimate | null {
  const saving: Saving | null =
    by === "real" ? line.water.consumptive_savings_m3 : line.water.apparent_savings_m3;
  const ha = line.water.baseline_area_ha;
  if (saving === null || ha === null || ha <= 0) return null;
  const mm = (m3: number) => m3 / ha / 10;
  return {
    value: mm(saving.value),
    interval: saving.ci95 === null ? null : [mm(saving.ci95[0]), mm(saving.ci95[1])],
  };
}

/** Lines by what they saved on a hectare, with the places that each may have. */
export function RankingTable(props: { title: string; lines: readonly Line[]; by: By }) {
  const rows = ranked(props.lines, (line) => estimateOf(line, props.by));
  const unranked = props.lines.length - rows.length;
  const ends = rows.flatMap(({ estimate }) => [estimate.value, ...(estimate.interval ?? [])]);
  const scale = [Math.min(0, ...ends), Math.max(0, ...ends)] as const;
  return (
    <>
      {rows.length > 0 && (
        <Table
          label={props.title}
          rows={rows}
          rowKey={(row) => row.of.key}
          columns={[
            {
              name: t("region.place"),
              cell: ({ of }) => (of.to === null ? of.name : <a href={of.to}>{of.name}</a>),
            },
            { name: t("region.rank"), number: true, cell: place },
            {
              name: t("region.per_ha"),
              number: true,
              cell: ({ estimate }) => depth(estimate.value, 1),
            },
            {
              name: t("region.picture"),
              cell: ({ estimate }) => (
                <>
                  <Bar of={estimate} scale={scale} />
                  <span class="small quiet number">
                    {estimate.interval === null
                      ? t("region.no_interval")
                      : t("region.interval", {
                          low: depth(estimate.interval[0], 1),
                          high: depth(estimate.interval[1], 1),
                        })}
                  </span>
                </>
              ),
            },
            { name: t("fields.area"), number: true, cell: ({ of }) => area(of.area_ha) },
            {
              name: t("region.applied"),
              number: true,
              cell: ({ of }) => (of.water.applied_mm === null ? NONE : depth(of.water.applied_mm)),
            },
          ]}
        />
      )}
      {unranked > 0 && <p class="small quiet">{t("region.unranked", { count: unranked })}</p>}
    </>
  );
}

function place(row: Ranked<Line>): string {
  return row.best === row.worst
    ? number(row.best)
    : t("region.ranks", { best: row.best, worst: row.worst });
}

/** An interval on the scale that all lines share, with zero. */
function Bar({ of, scale }: { of: Estimate; scale: readonly [number, number] }) {
  const [low, high] = scale;
  const at = (value: number) => `${3 + (94 * (value - low)) / (high - low || 1)}%`;
  const [from, to] = of.interval ?? [of.value, of.value];
  return (
    <svg class="forest" aria-hidden="true">
      <line x1="0" x2="100%" y1="10" y2="10" stroke="var(--line)" stroke-width="1.5" />
      <line x1={at(0)} x2={at(0)} y1="1" y2="19" stroke="var(--ink)" stroke-width="1.5" />
      <line x1={at(from)} x2={at(to)} y1="10" y2="10" stroke="var(--accent)" stroke-width="4" />
      <circle cx={at(of.value)} cy="10" r="5" fill="var(--accent)" stroke="var(--surface)" />
    </svg>
  );
}
