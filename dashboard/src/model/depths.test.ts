import { expect, it } from "vitest";
import type { BalanceDay, SoilMoistureOut } from "../api/schema";
import { onOneTime, rootZoneContent } from "./depths";

it("a root zone at capacity holds capacity, one that lacks all holds the wilting point", () => {
  expect(rootZoneContent({ depletion_mm: 0, taw_mm: 150 }, 0.3, 0.15)).toBeCloseTo(0.3, 9);
  expect(rootZoneContent({ depletion_mm: 150, taw_mm: 150 }, 0.3, 0.15)).toBeCloseTo(0.15, 9);
  // 30 of 150 mm over 1 m are missing: 0.30 - 0.030
  expect(rootZoneContent({ depletion_mm: 30, taw_mm: 150 }, 0.3, 0.15)).toBeCloseTo(0.27, 9);
  expect(rootZoneContent({ depletion_mm: 0, taw_mm: 0 }, 0.3, 0.15)).toBeNull();
});

const soil: SoilMoistureOut = {
  field_id: 1,
  crop_zone: 7,
  season: 2025,
  resolution: "hour",
  theta_fc_m3_m3: 0.3,
  theta_wp_m3_m3: 0.15,
  depths: [
    {
      device_id: "p",
      datastream_id: 1,
      depth_cm: 20,
      start_s: [3600, 10_800],
      mean_m3_m3: [0.25, 0.24],
    },
    { device_id: "p", datastream_id: 2, depth_cm: 60, start_s: [7200], mean_m3_m3: [0.28] },
  ],
};
const day = { day: "1970-01-01", depletion_mm: 30, taw_mm: 150 } as BalanceDay;

it("probes and balance stand on one line of times, in order, each where it is known", () => {
  const found = onOneTime(soil, [day], () => 7_200_000);
  expect(found.moments).toEqual([3_600_000, 7_200_000, 10_800_000]);
  expect(found.depths.map((one) => one.values)).toEqual([
    [25, null, 24],
    [null, expect.closeTo(28, 9), null],
  ]);
  expect(found.simulated).toEqual([null, expect.closeTo(27, 9), null]);
});

it("without the soil's constants nothing is simulated", () => {
  const found = onOneTime({ ...soil, theta_fc_m3_m3: null }, [day], () => 7_200_000);
  expect(found.simulated.every((one) => one === null)).toBe(true);
});
