/** Days of machines: which there are, what is chosen of them, what they amount to. */
import type { MachineDayOut } from "../api/schema";

export interface MachineName {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
}

/** Every machine of the days once, in order of kind and name. */
export function machinesOf(days: readonly MachineDayOut[]): MachineName[] {
  const found = new Map(
    days.map((one) => [one.device_id, { id: one.device_id, name: one.machine, kind: one.kind }]),
  );
  return [...found.values()].sort(
    (a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name),
  );
}

/** The nearest days with anything done before and after a day. */
export function around(
  days: readonly MachineDayOut[],
  day: string,
): { before: string | null; after: string | null } {
  const all = days.map((one) => one.day);
  return {
    before: all.filter((one) => one < day).at(-1) ?? null,
    after: all.find((one) => one > day) ?? null,
  };
}

/** Days of a span, of one machine or of all. */
export function chosenDays(
  days: readonly MachineDayOut[],
  first: string,
  last: string,
  machine: string | null,
): MachineDayOut[] {
  return days.filter(
    (one) => one.day >= first && one.day <= last && (machine === null || one.device_id === machine),
  );
}

export interface Sums {
  readonly machines: number;
  readonly workH: number;
  readonly workedHa: number | null;
  readonly fuelL: number | null;
  readonly distanceKm: number | null;
  readonly fuelLHa: number | null; // of those machines alone that told both
}

/** What days amount to; what no machine told is null. */
export function sumsOf(days: readonly MachineDayOut[]): Sums {
  const add = (pick: (day: MachineDayOut) => number | null): number | null => {
    const known = days.map(pick).filter((one) => one !== null);
    return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0);
  };
  const both = days.filter((one) => one.fuel_l_ha !== null && one.worked_ha !== null);
  const [litres, ha] = [
    both.reduce((sum, one) => sum + (one.fuel_l_ha ?? 0) * (one.worked_ha ?? 0), 0),
    both.reduce((sum, one) => sum + (one.worked_ha ?? 0), 0),
  ];
  return {
    machines: new Set(days.map((one) => one.device_id)).size,
    workH: add((one) => one.work_h) ?? 0,
    workedHa: add((one) => one.worked_ha),
    fuelL: add((one) => one.fuel_l),
    distanceKm: add((one) => one.distance_km),
    fuelLHa: ha > 0 ? litres / ha : null,
  };
}

// Bounds of the classes of grazing pressure [animal-days/ha], the same for every pasture and year.
export const PRESSURE = [5, 15, 30, 60] as const;

/** The class of a pressure, from 0; null: it was not grazed. */
export function pressureClass(perHa: number): number | null {
  return perHa > 0 ? PRESSURE.filter((bound) => perHa >= bound).length : null;
}
