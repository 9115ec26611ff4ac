/** How a field stands with water, and what needs doing first. */
import type { FieldOut, FieldWaterOut, ZoneAdvice } from "../api/schema";

export const STATUSES = ["stress", "low", "fair", "good", "unknown", "idle"] as const;
export type Status = (typeof STATUSES)[number];

interface Water {
  readonly depletion_mm: number | null;
  readonly raw_mm: number | null;
}

/** A crop on a field: how its water stands, and its advice once that came. */
export interface Crop extends Water {
  readonly id: number;
  readonly crop: string;
  readonly balanceDay: string | null;
  readonly advice: ZoneAdvice | null;
}

/** A field with the crop on it that is shortest of water. */
export interface FieldRow {
  readonly field: FieldOut;
  readonly crop: Crop | null; // none grows on the day
  readonly others: readonly Crop[];
  readonly status: Status;
  readonly left: number | null; // of the readily available water; negative: past it
}

/** Share left of the water that the crop takes without stress; null where it is not known. */
export function leftOf(water: Water | null): number | null {
  if (water === null || water.depletion_mm === null || water.raw_mm === null || water.raw_mm <= 0) {
    return null;
  }
  return 1 - water.depletion_mm / water.raw_mm;
}

export function statusOf(water: Water | null): Status {
  if (water === null) return "idle";
  const left = leftOf(water);
  if (left === null) return "unknown";
  if (left <= 0) return "stress";
  if (left < 0.25) return "low";
  return left < 0.5 ? "fair" : "good";
}

/** Whether advice is of a crop that does not grow on the day. */
export function isIdle(zone: ZoneAdvice): boolean {
  return zone.decision === "season-over" || zone.decision === "not-begun";
}

/** Every field with how it stands, the driest first; advice may come later than the rest. */
export function rowsOf(
  fields: readonly FieldOut[],
  water: readonly FieldWaterOut[],
  advice: readonly ZoneAdvice[] = [],
): FieldRow[] {
  const advised = new Map(advice.map((zone) => [zone.crop_zone_id, zone]));
  const byField = new Map<number, Crop[]>();
  for (const one of water) {
    const crops = byField.get(one.field_id) ?? [];
    crops.push(cropOf(one, advised.get(one.crop_zone_id) ?? null));
    byField.set(one.field_id, crops);
  }
  const rows = fields.map((field): FieldRow => {
    const [crop = null, ...others] = (byField.get(field.id) ?? []).sort(byNeed);
    return { field, crop, others, status: statusOf(crop), left: leftOf(crop) };
  });
  const names = new Intl.Collator(undefined, { numeric: true });
  return rows.sort(
    (a, b) =>
      (a.crop === null ? 1 : 0) - (b.crop === null ? 1 : 0) ||
      (a.crop && b.crop ? byNeed(a.crop, b.crop) : 0) ||
      names.compare(a.field.name, b.field.name),
  );
}

/** Advice tells how the evening before stands, where the balance ends earlier. */
function cropOf(one: FieldWaterOut, advice: ZoneAdvice | null): Crop {
  const newer = advice?.depletion_mm == null ? one : advice;
  return {
    id: one.crop_zone_id,
    crop: one.crop,
    balanceDay: one.balance_day,
    depletion_mm: newer.depletion_mm,
    raw_mm: newer.raw_mm,
    advice,
  };
}

function byNeed(a: Water, b: Water): number {
  const [ofA, ofB] = [leftOf(a), leftOf(b)];
  return (ofA === null ? 1 : 0) - (ofB === null ? 1 : 0) || (ofA ?? 0) - (ofB ?? 0);
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
  return rows.filter(({ field, crop, others, status }) => {
    const crops = crop === null ? [] : [crop, ...others].map((one) => one.crop);
    if (filter.crop && !crops.includes(filter.crop)) return false;
    if (filter.status && status !== filter.status) return false;
    const words = [field.name, ...crops.map(cropName), field.official_field_id ?? ""].join(" ");
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
