import type { MachineDayOut, PastureOut } from "../api/schema";
import { day as dayText, number } from "../format";
import { t } from "../words";
import { animalDays, ground, metres } from "./figures";
import { Swatch } from "./ground";
import { pressureFill } from "./machine-drawing";
import { Table } from "./table";

/** What herds the drones counted, and where they stood. */
export function Herds({ days }: { days: readonly MachineDayOut[] }) {
  const rows = days.filter((one) => one.herd !== null);
  if (rows.length === 0) return null;
  return (
    <section class="card stack" aria-labelledby="herds">
      <h2 id="herds">{t("machines.herds")}</h2>
      <Table
        label={t("machines.herds")}
        rows={rows}
        rowKey={(row) => `${row.day} ${row.device_id}`}
        columns={[
          {
            name: t("machines.drone"),
            cell: (row) => (
              <>
                {row.machine}
                <div class="small quiet">{dayText(row.day)}</div>
              </>
            ),
          },
          {
            name: t("machines.animals"),
            number: true,
            cell: (row) => number(row.herd?.animals),
          },
          { name: t("machines.spread"), number: true, cell: (row) => metres(row.herd?.spread_m) },
          {
            name: t("machines.place"),
            cell: (row) =>
              row.grazed.map((one) => one.field ?? "").join(", ") || t("machines.outside"),
          },
        ]}
      />
      <p class="small quiet">{t("machines.herd_more")}</p>
    </section>
  );
}

/** How hard pastures were grazed in the year so far. */
export function Pastures({ of, until }: { of: readonly PastureOut[]; until: string }) {
  if (of.length === 0) return null;
  const days = (count: number) => t("machines.days", { count });
  return (
    <section class="card stack" aria-labelledby="pastures">
      <h2 id="pastures">{t("machines.pastures", { day: dayText(until) })}</h2>
      <p class="small quiet">{t("machines.pastures_more")}</p>
      <Table
        label={t("machines.pastures", { day: dayText(until) })}
        rows={of}
        rowKey={(row) => row.field_id}
        columns={[
          {
            name: t("machines.pasture"),
            cell: (row) => (
              <>
                {row.field}
                <div class="small quiet">{ground(row.area_ha)}</div>
              </>
            ),
          },
          {
            name: t("machines.pressure"),
            number: true,
            cell: (row) => {
              const fill = pressureFill(row.animal_days_ha);
              return (
                <span class="status">
                  {fill && <Swatch fill={fill} />}
                  {fill ? animalDays(row.animal_days_ha) : t("machines.pressure_none")}
                </span>
              );
            },
          },
          { name: t("machines.used"), number: true, cell: (row) => days(row.used_days) },
          { name: t("machines.rested"), number: true, cell: (row) => days(row.rested_days) },
          { name: t("machines.not_known"), number: true, cell: (row) => days(row.unknown_days) },
          { name: t("machines.resting"), number: true, cell: (row) => days(row.resting_days) },
        ]}
      />
    </section>
  );
}
