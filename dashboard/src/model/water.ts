/** How a field stands with water, and what needs doing first. */
import type { FieldOut, ZoneAdvice } from "../api/schema";

export const STATUSES = ["stress", "low", "fair", "good", "unknown", "idle"] as const;
export type Status = (typeof STATUSES)[number];

/** A field with the crop on it that is shortest of water. */
export interface FieldRow {
  readonly field: FieldOut;
  readonly zone: ZoneAdvice | null;
  readonly others: readonly ZoneAdvice[]; // further crops of the day
  readonly status: Status;
  readonly left: number | null; // of the readily available water; negative: past it
}

/** Share left of the water that the crop takes without stress; null where it is not known. */
export function leftOf(zone: ZoneAdvice | null): number | null {
  if (zone === null || zone.depletion_mm === null || zone.raw_mm === null || zone.raw_mm <= 0) {
    return null;
  }
  return 1 - zone.depletion_mm / zone.raw_mm;
}

export function isIdle(zone: ZoneAdvice | null): boolean {
  return zone === null || zone.decision === "season-over" || zone.decision === "not-begun";
}

export function statusOf(zone: ZoneAdvice | null): Status {
  if (isIdle(zone)) return "idle";
  const left = leftOf(zone);
  if (left === null) return "unknown";
  if (left <= 0) return "stress";
  if (left < 0.25) return "low";
  return left < 0.5 ? "fair" : "good";
}

/** Every field with how it stands, the driest first. */
export function rowsOf(fields: readonly FieldOut[], zones: readonly ZoneAdvice[]): FieldRow[] {
  const byField = new Map<number, ZoneAdvice[]>();
  for (const zone of zones)
    byField.set(zone.field_id, [...(byField.get(zone.field_id) ?? []), zone]);
  const rows = fields.map((field): FieldRow => {
    const [zone = null, ...others] = [...(byField.get(field.id) ?? [])].sort(byNeed);
    return { field, zone, others, status: statusOf(zone), left: leftOf(zone) };
  });
  return rows.sort(
    (a, b) =>
      (a.zone === null ? 1 : 0) - (b.zone === null ? 1 : 0) ||
      (a.zone && b.zone ? byNeed(a.zone, b.zone) : 0) ||
      a.field.name.localeCompare(b.field.name, undefined, { numeric: true }),
  );
}

function byNeed(a: ZoneAdvice, b: ZoneAdvice): number {
  const rank = (zone: ZoneAdvice) => (isIdle(zone) ? 2 : leftOf(zone) === null ? 1 : 0);
  return rank(a) - rank(b) || (leftOf(a) ?? 0) - (leftOf(b) ?? 0);
}

export interface Filter {
  readonly text: string;
  readonly crop: string;
  readonly status: Status | "";
}

export const EVERYTHING: Filter = { text: "", crop: "", status: "" };

/** The rows that a search and filters leave; ``cropName`` says a crop as people read it. */
export function filtered(
  rows: readonly FieldRow[],
  filter: Filter,
  cropName: (crop: string) => string,
): FieldRow[] {
  const wanted = filter.text.trim().toLocaleLowerCase();
  return rows.filter(({ field, zone, status }) => {
    if (filter.crop && zone?.crop !== filter.crop) return false;
    if (filter.status && status !== filter.status) return false;
    const words = `${field.name} ${zone ? cropName(zone.crop) : ""} ${field.official_field_id ?? ""}`;
    return words.toLocaleLowerCase().includes(wanted);
  });
}

export interface ToDo {
  readonly now: readonly ZoneAdvice[];
  readonly soon: readonly ZoneAdvice[];
  readonly waiting: readonly ZoneAdvice[]; // at its line, for rain that is forecast
  readonly unknown: readonly ZoneAdvice[];
  readonly volumeNowM3: number;
}

/** What a farm's advice comes to, each part in the order in which it should be done. */
export function toDo(zones: readonly ZoneAdvice[]): ToDo {
  const decided = (decision: ZoneAdvice["decision"]) =>
    zones.filter((zone) => zone.decision === decision);
  const now = decided("irrigate-now").sort(byNeed);
  const soon = decided("irrigate-in-days").sort(
    (a, b) => dayOf(a).localeCompare(dayOf(b)) || byNeed(a, b),
  );
  return {
    now,
    soon,
    waiting: decided("wait-for-rain").sort(byNeed),
    unknown: decided("no-balance"),
    volumeNowM3: now.reduce((sum, zone) => sum + (zone.days[0]?.irrigation_m3 ?? 0), 0),
  };
}

function dayOf(zone: ZoneAdvice): string {
  return zone.next_irrigation?.day ?? "9999";
}

/** A day well inside a season, for looking back: three fifths of the way. */
export function dayWithin(planted: string, harvested: string): string {
  const [from, to] = [Date.parse(planted), Date.parse(harvested)];
  const day = 86_400_000;
  return new Date(from + Math.round((0.6 * (to - from)) / day) * day).toISOString().slice(0, 10);
}
