import type {
  FieldDayOut,
  FieldOperationOut,
  FlightOut,
  MachineDayOut,
  WorkOut,
} from "../api/schema";
import { day as dayText, hours, number } from "../format";
import type { At } from "../router";
import { href } from "../router";
import { named, t } from "../words";
import { ground, groundOf, kilometres, litresPerHectare, metres, minutes, speed } from "./figures";
import { type Column, Table } from "./table";

type Here = At<"machines">;

/** Machine by machine and field by field: the map's twin. */
export function FieldWork({ days, at }: { days: readonly MachineDayOut[]; at: Here }) {
  const several = new Set(days.map((one) => one.day)).size > 1;
  const rows = days.flatMap((day) => day.fields.map((of) => ({ day, of })));
  if (rows.length === 0) return null;
  type Row = { day: MachineDayOut; of: FieldDayOut };
  const figures: Column<Row>[] = [
    { name: t("machines.passes"), number: true, cell: ({ of }) => number(of.passes) },
    { name: t("machines.hours"), number: true, cell: ({ of }) => hours(of.work_h) },
    { name: t("machines.speed"), number: true, cell: ({ of }) => speed(of.work_speed_m_s) },
    { name: t("machines.width"), number: true, cell: ({ of }) => metres(of.width_m, 1) },
    ...covered<Row>(({ of }) => of),
    { name: t("machines.fuel_ha"), number: true, cell: ({ of }) => litresPerHectare(of.fuel_l_ha) },
  ];
  return (
    <section class="card stack" aria-labelledby="by-field">
      <h2 id="by-field">{t("machines.by_field")}</h2>
      <Table
        label={t("machines.by_field")}
        rows={rows}
        rowKey={({ day, of }) => `${day.day} ${day.device_id} ${of.field_id}`}
        chosen={({ of }) => at.field !== null && of.field_id === at.field}
        columns={[
          {
            name: t("machines.machine"),
            cell: ({ day, of }) => (
              <>
                {day.machine}
                <div class="small quiet">
                  {of.field ?? t("machines.outside")}
                  {several && `, ${dayText(day.day)}`}
                </div>
              </>
            ),
          },
          ...figures,
        ]}
      />
      <Reasons codes={rows.flatMap(({ of }) => of.reasons)} />
    </section>
  );
}

type Covered = Pick<FieldDayOut, "worked_ha" | "field_ha" | "overlap_ha" | "gap_ha">;

/** How much of a field was worked, what of it twice, and what was left between. */
function covered<Row>(of: (row: Row) => Covered): Column<Row>[] {
  const columns: Column<Covered>[] = [
    {
      name: t("machines.worked"),
      cell: (one) => groundOf(one.worked_ha, one.field_ha),
    },
    {
      name: t("machines.overlap"),
      cell: (one) => groundOf(one.overlap_ha, sum(one.worked_ha, one.overlap_ha)),
    },
    { name: t("machines.gaps"), cell: (one) => ground(one.gap_ha) },
  ];
  return columns.map(({ name, cell }) => ({ name, number: true, cell: (row) => cell(of(row)) }));
}

function sum(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other;
}

/** What the machines did not tell, so that figures are missing. */
function Reasons({ codes }: { codes: readonly string[] }) {
  const found = [...new Set(codes)];
  if (found.length === 0) return null;
  return (
    <p class="small quiet">
      {t("machines.reasons")}: {found.map((code) => named("reason", code)).join("; ")}.
    </p>
  );
}

export function Flights({ days }: { days: readonly MachineDayOut[] }) {
  type Row = { day: MachineDayOut; number: number; of: FlightOut };
  const rows: Row[] = days.flatMap((day) =>
    day.flights.map((of, index) => ({ day, number: index + 1, of })),
  );
  if (rows.length === 0) return null;
  return (
    <section class="card stack" aria-labelledby="flights">
      <h2 id="flights">{t("machines.flights")}</h2>
      <Table
        label={t("machines.flights")}
        rows={rows}
        rowKey={(row) => `${row.day.day} ${row.day.device_id} ${row.number}`}
        columns={[
          {
            name: t("machines.drone"),
            cell: (row) => (
              <>
                {row.day.machine}
                <div class="small quiet">
                  {dayText(row.day.day)}, {t("machines.flight", { number: row.number })}
                </div>
              </>
            ),
          },
          {
            name: t("machines.duration"),
            number: true,
            cell: ({ of }) => minutes(60 * of.duration_h),
          },
          { name: t("machines.way"), number: true, cell: ({ of }) => kilometres(of.distance_km) },
          { name: t("machines.height"), number: true, cell: ({ of }) => metres(of.max_height_m) },
          { name: t("machines.seen_area"), number: true, cell: ({ of }) => ground(of.seen_ha) },
        ]}
      />
      <Reasons codes={rows.flatMap(({ of }) => of.reasons)} />
    </section>
  );
}

/** Work of the year, operation by operation; each leads to its days on the map. */
export function Operations({ work, at }: { work: WorkOut; at: Here }) {
  const rows = work.fields.flatMap((field) => field.operations).sort(byDay);
  return (
    <section class="card stack" aria-labelledby="operations">
      <h2 id="operations">{t("machines.operations")}</h2>
      {rows.length === 0 ? (
        <p>{t("machines.no_operations")}</p>
      ) : (
        <>
          <p class="small quiet">{t("machines.operations_more")}</p>
          <Table
            label={t("machines.operations")}
            rows={rows}
            rowKey={(row) => `${row.days[0]} ${row.device_id} ${row.field_id}`}
            chosen={(row) => isAt(row, at)}
            columns={[
              {
                name: t("machines.field"),
                cell: (row) => (
                  <>
                    <a href={href(spanOf(row, at))}>
                      {row.field}, {row.machine}
                    </a>
                    <div class="small quiet">{when(row)}</div>
                  </>
                ),
              },
              ...covered<FieldOperationOut>((row) => row),
              {
                name: t("machines.rate"),
                number: true,
                cell: (row) => ground(row.productivity_ha_h),
              },
              {
                name: t("machines.fuel_ha"),
                number: true,
                cell: (row) => litresPerHectare(row.fuel_l_ha),
              },
            ]}
          />
        </>
      )}
    </section>
  );
}

function byDay(a: FieldOperationOut, b: FieldOperationOut): number {
  return (b.days[0] ?? "").localeCompare(a.days[0] ?? "") || a.field.localeCompare(b.field);
}

function when(row: FieldOperationOut): string {
  const [first, last] = [row.days[0] ?? "", row.days.at(-1) ?? ""];
  return first === last
    ? dayText(first)
    : t("machines.span", { first: dayText(first), last: dayText(last) });
}

function spanOf(row: FieldOperationOut, at: Here): Here {
  const [first, last] = [row.days[0] ?? null, row.days.at(-1) ?? null];
  return {
    ...at,
    day: first,
    until: last === first ? null : last,
    machine: row.device_id,
    field: row.field_id,
  };
}

function isAt(row: FieldOperationOut, at: Here): boolean {
  const to = spanOf(row, at);
  return at.machine === to.machine && at.field === to.field && at.day === to.day;
}
