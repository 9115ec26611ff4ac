import { expect, it } from "vitest";
import type { TrackPointOut } from "../api/schema";
import { bySpeed, byState, DRIVE, speedClass, WORK } from "./tracks";

function point(second: number, more: Partial<TrackPointOut> = {}): TrackPointOut {
  return {
    time: new Date(second * 1000).toISOString(),
    latitude_deg: 50,
    longitude_deg: second,
    elevation_m: null,
    speed_m_s: 2.5,
    heading_deg: null,
    work_state: 1,
    width_m: null,
    mass_flow_kg_s: null,
    crop_moisture_pct: null,
    application_rate_l_ha: null,
    fuel_rate_l_h: null,
    animals_seen: null,
    ...more,
  };
}

const kinds = (lines: { kind: number; coordinates: unknown[] }[]) =>
  lines.map((line) => [line.kind, line.coordinates.length]);

it("a step is work where both its ends say so", () => {
  const track = [0, 20, 40, 60].map((second) => point(second));
  const lifted = track.map((one, index) => (index === 2 ? { ...one, work_state: 0 } : one));
  expect(kinds(byState(track))).toEqual([[WORK, 4]]);
  expect(kinds(byState(lifted))).toEqual([
    [WORK, 2],
    [DRIVE, 3],
  ]);
});

it("a silence of more than a minute is no way", () => {
  expect(kinds(byState([point(0), point(20), point(81), point(101)]))).toEqual([
    [WORK, 2],
    [WORK, 2],
  ]);
});

it("speed is in classes, and who stands has none", () => {
  expect([3.9, 4, 9, 19.9, 20].map(speedClass)).toEqual([0, 1, 2, 3, 4]);
  // 2.5 m/s is 9 km/h; the mean with 0 m/s is 4.5 km/h.
  const track = [point(0), point(20), point(40, { speed_m_s: 0 }), point(60, { speed_m_s: 0 })];
  expect(kinds(bySpeed(track))).toEqual([
    [2, 2],
    [1, 2],
  ]);
  expect(bySpeed([point(0, { speed_m_s: null }), point(20, { speed_m_s: null })])).toEqual([]);
});
