import { describe, expect, it } from "vitest";
import type { FieldOut, FieldWaterOut, ZoneAdvice } from "../api/schema";
import { EVERYTHING, filtered, leftOf, rowsOf, statusOf, toDo } from "./water";

const ZONE: ZoneAdvice = {
  crop_zone_id: 1,
  field_id: 1,
  field: "field-1",
  crop: "cotton",
  season: 2025,
  area_ha: 10,
  irrigation_method: "drip",
  decision: "no-need",
  decision_text: "",
  balance_day: "2025-06-30",
  stale_days: 0,
  depletion_mm: 30,
  depletion_sd_mm: null,
  taw_mm: 150,
  raw_mm: 75,
  refill_line_mm: 75,
  next_irrigation: null,
  refill_day: null,
  refill_day_earliest: null,
  refill_day_latest: null,
  refill_day_uncertainty: [],
  stress_days: 0,
  first_stress_day: null,
  lowest_ks: null,
  days: [],
  reasons: [],
  assumptions: [],
};
const zone = (more: Partial<ZoneAdvice>): ZoneAdvice => ({ ...ZONE, ...more });
const stands = (more: Partial<FieldWaterOut>): FieldWaterOut => ({
  field_id: 1,
  crop_zone_id: 1,
  crop: "cotton",
  season: 2025,
  irrigation_method: "drip",
  area_ha: 10,
  balance_day: "2025-06-30",
  depletion_mm: 30,
  taw_mm: 150,
  raw_mm: 75,
  ...more,
});
const field = (id: number, name: string): FieldOut => ({
  id,
  name,
  area_ha: 10,
  area_source: "stated",
  official_field_id: null,
  soil: {},
  soil_source: "stated",
  land_use: "arable",
  geometry: null,
});

describe("the water left", () => {
  it.each([
    [0, 1, "good"],
    [37.4, 0.501, "good"],
    [37.6, 0.499, "fair"],
    [56.3, 0.249, "low"],
    [75, 0, "stress"],
    [90, -0.2, "stress"],
  ] as const)("of 75 mm with %d missing is %d: %s", (depletion_mm, left, status) => {
    const one = zone({ depletion_mm });
    expect(leftOf(one)).toBeCloseTo(left, 2);
    expect(statusOf(one)).toBe(status);
  });

  it("is not known without a balance, and of no matter without a crop", () => {
    expect(statusOf({ depletion_mm: null, raw_mm: null })).toBe("unknown");
    expect(statusOf({ depletion_mm: 5, raw_mm: 0 })).toBe("unknown");
    expect(statusOf(null)).toBe("idle");
  });
});

describe("the fields of a farm", () => {
  const water = [
    stands({ crop_zone_id: 1, field_id: 1, depletion_mm: 10 }),
    stands({ crop_zone_id: 2, field_id: 2, depletion_mm: 80, crop: "maize" }),
    stands({ crop_zone_id: 3, field_id: 3, depletion_mm: null, raw_mm: null }),
    stands({ crop_zone_id: 4, field_id: 1, depletion_mm: 60, crop: "maize" }),
  ];
  const fields = [
    field(4, "pasture"),
    field(10, "field-10"),
    field(1, "field-1"),
    field(2, "field-2"),
    field(3, "field-3"),
  ];
  const rows = rowsOf(fields, water);

  it("come the driest first, then those not known, then those without a crop, by name", () => {
    expect(rows.map((row) => row.field.name)).toEqual([
      "field-2",
      "field-1",
      "field-3",
      "field-10",
      "pasture",
    ]);
  });

  it("are shown with the crop that is shortest of water", () => {
    const one = rows.find((row) => row.field.id === 1);
    expect(one?.crop?.id).toBe(4);
    expect(one?.others.map((other) => other.id)).toEqual([1]);
    expect(one?.status).toBe("low");
  });

  it("take the evening that the advice begins from, where the balance ended before it", () => {
    const advice = [zone({ crop_zone_id: 1, depletion_mm: 74, raw_mm: 75 })];
    const one = rowsOf(fields, water, advice).find((row) => row.field.id === 1);
    expect(one?.crop?.id).toBe(1);
    expect(one?.crop?.advice).toBe(advice[0]);
    expect(one?.left).toBeCloseTo(1 / 75, 6);
  });

  it("are found by name, by crop as people say it, and by status", () => {
    const say = (crop: string) => (crop === "maize" ? "Кукуруза" : crop);
    const found = (more: object) =>
      filtered(rows, { ...EVERYTHING, ...more }, say).map((row) => row.field.name);
    expect(found({ text: "FIELD-1" })).toEqual(["field-1", "field-10"]);
    expect(found({ text: " кукур " })).toEqual(["field-2", "field-1"]);
    expect(found({ status: "unknown" })).toEqual(["field-3"]);
    expect(found({ crop: "maize", status: "stress" })).toEqual(["field-2"]);
    expect(found({ crop: "cotton" })).toEqual(["field-1", "field-3"]); // also where it is not the driest
    expect(found({ text: "nothing" })).toEqual([]);
  });
});

describe("what is to do", () => {
  const next = (day: string) => ({
    day,
    irrigation_net_mm: 50,
    irrigation_gross_mm: 60,
    irrigation_m3: 6000,
    irrigation_hours: null,
  });
  const today = { ...({} as ZoneAdvice["days"][number]), irrigation_m3: 1200 };
  const found = toDo([
    zone({ crop_zone_id: 1, decision: "irrigate-in-days", next_irrigation: next("2025-07-05") }),
    zone({ crop_zone_id: 2, decision: "irrigate-now", depletion_mm: 76, days: [today] }),
    zone({ crop_zone_id: 3, decision: "irrigate-now", depletion_mm: 99, days: [today] }),
    zone({ crop_zone_id: 4, decision: "irrigate-in-days", next_irrigation: next("2025-07-02") }),
    zone({ crop_zone_id: 5, decision: "no-balance", depletion_mm: null }),
    zone({ crop_zone_id: 6, decision: "no-need" }),
  ]);
  const ids = (zones: readonly ZoneAdvice[]) => zones.map((one) => one.crop_zone_id);

  it("begins with the driest, then goes by day", () => {
    expect(ids(found.now)).toEqual([3, 2]);
    expect(ids(found.soon)).toEqual([4, 1]);
    expect(ids(found.unknown)).toEqual([5]);
  });

  it("counts the water of today alone", () => {
    expect(found.volumeNowM3).toBe(2400);
  });
});
