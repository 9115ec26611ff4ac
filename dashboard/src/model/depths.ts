/** Soil moisture by depth and the simulated root zone on one line of times. */
import type { BalanceDay, SoilMoistureOut } from "../api/schema";

export interface DepthSeries {
  readonly depthCm: number;
  readonly device: string;
  readonly values: readonly (number | null)[]; // volumetric, %
}

export interface DepthsOnTime {
  readonly moments: readonly number[]; // ms since 1970
  readonly depths: readonly DepthSeries[];
  readonly simulated: readonly (number | null)[]; // mean of the root zone at the end of each day, %
}

/** Mean water content of the root zone: what of the available water is missing, below capacity. */
export function rootZoneContent(
  day: Pick<BalanceDay, "depletion_mm" | "taw_mm">,
  capacity: number,
  wilting: number,
): number | null {
  if (day.taw_mm <= 0) return null;
  return capacity - ((capacity - wilting) * day.depletion_mm) / day.taw_mm;
}

/** Every time at which anything is known, and what is known then; null where nothing is. */
export function onOneTime(
  soil: SoilMoistureOut,
  days: readonly BalanceDay[],
  midnight: (day: string) => number,
): DepthsOnTime {
  const { theta_fc_m3_m3: capacity, theta_wp_m3_m3: wilting } = soil;
  const computed = new Map<number, number>();
  for (const day of days) {
    if (capacity === null || wilting === null) break;
    const content = rootZoneContent(day, capacity, wilting);
    if (content !== null) computed.set(midnight(day.day) / 1000, 100 * content);
  }
  const times = new Set(computed.keys());
  for (const depth of soil.depths) for (const at of depth.start_s) times.add(at);
  const seconds = Float64Array.from(times).sort();
  const place = new Map(Array.from(seconds, (at, index) => [at, index]));
  const empty = () => new Array<number | null>(seconds.length).fill(null);
  const simulated = empty();
  for (const [at, value] of computed) simulated[place.get(at) ?? 0] = value;
  const depths = soil.depths.map((one): DepthSeries => {
    const values = empty();
    one.start_s.forEach((at, index) => {
      const mean = one.mean_m3_m3[index];
      values[place.get(at) ?? 0] = mean === undefined ? null : 100 * mean;
    });
    return { depthCm: one.depth_cm, device: one.device_id, values };
  });
  return { moments: Array.from(seconds, (at) => at * 1000), depths, simulated };
}
