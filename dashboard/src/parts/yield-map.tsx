import { useSignal } from "@preact/signals";
import type { Geometry } from "geojson";
import { useMemo } from "preact/hooks";
import type { FieldOut, YieldMapOut, YieldPointsOut } from "../api/schema";
import { number, percent, rateUnitName, yieldBound, yieldRate } from "../format";
import { feature } from "../model/geometry";
import { type ClassRow, classesOf } from "../model/yield-classes";
import { named, t } from "../words";
import { metres } from "./figures";
import { rampFill } from "./fills";
import { FillLegend, Ground, Swatch } from "./ground";
import type { Drawing } from "./ground-map";
import { Table } from "./table";

/** Which points are shown: those of a reason, those in the map, all. */
const KEPT = "kept";
const ALL = "all";

interface Cell {
  readonly yield_kg_ha: number;
  readonly deviation_kg_ha: number | null;
  readonly points: number;
  readonly filled: boolean;
}

/** The squares of a field by yield, and the points they were made of on demand. */
export function YieldMap(props: {
  map: YieldMapOut;
  field: FieldOut | undefined;
  points: YieldPointsOut | undefined;
  which: string | null;
}) {
  const { map, field, points, which } = props;
  const chosen = useSignal<Cell | null>(null);
  const drawing = useMemo(() => drawn(map, field, points, which), [map, field, points, which]);
  const classes = classesOf(map);
  const crop = map.crop === null ? "" : named("crop", map.crop);
  const title = t("yield.legend", { crop });
  return (
    <>
      <Ground
        drawing={drawing}
        help={t("yield.map_help")}
        choose={(properties) => {
          chosen.value = properties && "yield_kg_ha" in properties ? asCell(properties) : null;
        }}
      >
        {chosen.value && (
          <Card
            of={chosen.value}
            side={map.cell_m}
            close={() => {
              chosen.value = null;
            }}
          />
        )}
      </Ground>
      <div class="card stack">
        <FillLegend
          title={`${title}, ${rateUnitName()}`}
          entries={classes.map((one) => [rampFill(one.place, classes.length), words(one)])}
        >
          {which !== null && (
            <>
              <li>
                <span class="point kept" aria-hidden="true" />
                {t("yield.point_kept")}
              </li>
              <li>
                <span class="point left-out" aria-hidden="true">
                  ✕
                </span>
                {t("yield.point_left")}
              </li>
            </>
          )}
        </FillLegend>
      </div>
    </>
  );
}

function Card({ of, side, close }: { of: Cell; side: number; close: () => void }) {
  return (
    <section class="card stack onmap" aria-label={t("yield.cell", { side: metres(side) })}>
      <div class="row spread">
        <h2>{yieldRate(of.yield_kg_ha)}</h2>
        <button type="button" class="plain" aria-label={t("fields.close")} onClick={close}>
          ✕
        </button>
      </div>
      <p class="small quiet">
        {t("yield.cell", { side: metres(side) })}:{" "}
        {of.filled ? t("yield.cell_filled") : t("yield.cell_points", { count: of.points })}
        {!of.filled &&
          of.deviation_kg_ha !== null &&
          `, ${t("yield.cell_spread", { spread: yieldRate(of.deviation_kg_ha) })}`}
      </p>
    </section>
  );
}

function asCell(properties: Record<string, unknown>): Cell {
  return {
    yield_kg_ha: Number(properties.yield_kg_ha),
    deviation_kg_ha:
      typeof properties.deviation_kg_ha === "number" ? properties.deviation_kg_ha : null,
    points: Number(properties.points),
    filled: properties.filled === true,
  };
}

function words(one: ClassRow): string {
  const [low, high] = [yieldBound(one.from_kg_ha), yieldBound(one.to_kg_ha)];
  if (one.from_kg_ha === null) return t("yield.below", { high });
  return one.to_kg_ha === null ? t("yield.above", { low }) : t("yield.between", { low, high });
}

/** The map's twin: how much of the field lies in each class. */
export function YieldClasses({ map }: { map: YieldMapOut }) {
  const classes = classesOf(map);
  const there = classes.filter((one) => one.cells > 0);
  return (
    <section class="card stack" aria-labelledby="classes">
      <h2 id="classes">{t("yield.classes")}</h2>
      <Table
        label={t("yield.classes")}
        rows={there}
        rowKey={(row) => row.place}
        columns={[
          {
            name: `${t("yield.class")}, ${rateUnitName()}`,
            cell: (row) => (
              <span class="status">
                <Swatch fill={rampFill(row.place, classes.length)} />
                {words(row)}
              </span>
            ),
          },
          { name: t("yield.class_cells"), number: true, cell: (row) => number(row.cells) },
          { name: t("yield.class_share"), number: true, cell: (row) => percent(row.share, 1) },
        ]}
      />
      <p>
        <a href={`/v1/fields/${map.field_id}/yield-map?season=${map.season}&format=csv`} download>
          {t("yield.map_as_table")}
        </a>
      </p>
    </section>
  );
}

function drawn(
  map: YieldMapOut,
  field: FieldOut | undefined,
  points: YieldPointsOut | undefined,
  which: string | null,
): Drawing {
  const classes = map.legend.length;
  const areas = map.features.map(({ geometry, properties }) =>
    feature(geometry as unknown as Geometry, {
      ...properties,
      fill: rampFill(properties.class, classes),
    }),
  );
  const outline = (field?.geometry ?? null) as Geometry | null;
  const shown =
    which === null
      ? []
      : (points?.points ?? []).filter((one) => which === ALL || (one.reason ?? KEPT) === which);
  const frame = areas.length > 0 ? areas.map((one) => one.geometry) : outline ? [outline] : [];
  return {
    areas,
    outlines: outline ? [feature(outline, { name: "" })] : [],
    lines: [],
    marks: shown.map((one) =>
      feature(
        { type: "Point", coordinates: [one.longitude_deg, one.latitude_deg] },
        { icon: one.reason === null ? "point-kept" : "point-left-out", name: "" },
      ),
    ),
    frame,
    key: `${map.field_id} ${map.season}`,
  };
}

/** Why points are left out, with how many of each; a choice shows those alone on the map. */
export function YieldPoints(props: {
  map: YieldMapOut;
  which: string | null;
  show: (which: string | null) => void;
}) {
  const { map, which, show } = props;
  const { report } = map;
  const reasons = Object.entries(report.flagged)
    .filter(([, count]) => count > 0)
    .sort((a, b) => b[1] - a[1]);
  return (
    <section class="card stack" aria-labelledby="points">
      <h2 id="points">{t("yield.points")}</h2>
      <p class="small quiet">{t("yield.points_more", { kept: report.kept, rows: report.rows })}</p>
      <div class="row choices">
        <button
          type="button"
          aria-pressed={which !== null}
          onClick={() => show(which === null ? ALL : null)}
        >
          {which === null ? t("yield.show_points") : t("yield.hide_points")}
        </button>
        {which !== null && (
          <label>
            <span>{t("yield.points_of")}</span>
            <select value={which} onChange={(change) => show(change.currentTarget.value)}>
              <option value={ALL}>{t("yield.points_all")}</option>
              <option value={KEPT}>{t("yield.point_kept")}</option>
              {reasons.map(([reason]) => (
                <option key={reason} value={reason}>
                  {named("flag", reason)}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {reasons.length > 0 && (
        <Table
          label={t("yield.reason")}
          rows={reasons}
          rowKey={([reason]) => reason}
          chosen={([reason]) => reason === which}
          columns={[
            { name: t("yield.reason"), cell: ([reason]) => named("flag", reason) },
            { name: t("yield.count"), number: true, cell: ([, count]) => number(count) },
            {
              name: t("yield.class_share"),
              number: true,
              cell: ([, count]) => percent(count / Math.max(report.rows, 1), 1),
            },
          ]}
        />
      )}
      <p>
        <a
          href={`/v1/fields/${map.field_id}/yield-points?season=${map.season}&format=csv`}
          download
        >
          {t("yield.as_table")}
        </a>
      </p>
    </section>
  );
}
