/** A machine's points as lines: by what it did between them, or by how fast it went. */
import type { TrackPointOut } from "../api/schema";

const MAX_GAP_S = 60; // longer without a point: nobody knows which way it took
const STANDING_M_S = 0.3;
// Bounds of the classes [km/h]: seeding and harvest go in the middle ones, roads in the last.
export const SPEED_KM_H = [4, 8, 12, 20] as const;

export interface Line {
  readonly kind: number; // its state or class
  readonly coordinates: [number, number][];
}

export const WORK = 0;
export const DRIVE = 1;

/** Stretches at work and on the way: at work is what both ends say. */
export function byState(points: readonly TrackPointOut[]): Line[] {
  return stretches(points, (from, to) =>
    from.work_state === 1 && to.work_state === 1 ? WORK : DRIVE,
  );
}

/** Stretches of one class of speed, from 0; standing is left out. */
export function bySpeed(points: readonly TrackPointOut[]): Line[] {
  return stretches(points, (from, to) => {
    const known = [from.speed_m_s, to.speed_m_s].filter((one) => one !== null);
    if (known.length === 0) return null;
    const mean = known.reduce((sum, one) => sum + one, 0) / known.length;
    return mean < STANDING_M_S ? null : speedClass(3.6 * mean);
  });
}

export function speedClass(kmH: number): number {
  return SPEED_KM_H.filter((bound) => kmH >= bound).length;
}

function stretches(
  points: readonly TrackPointOut[],
  kindOf: (from: TrackPointOut, to: TrackPointOut) => number | null,
): Line[] {
  const lines: Line[] = [];
  let open: Line | null = null;
  for (const [index, to] of points.entries()) {
    const from = points[index - 1];
    if (from === undefined) continue;
    const seconds = (Date.parse(to.time) - Date.parse(from.time)) / 1000;
    const kind = seconds > MAX_GAP_S ? null : kindOf(from, to);
    if (kind === null) {
      open = null;
      continue;
    }
    if (open === null || open.kind !== kind) {
      open = { kind, coordinates: [[from.longitude_deg, from.latitude_deg]] };
      lines.push(open);
    }
    open.coordinates.push([to.longitude_deg, to.latitude_deg]);
  }
  return lines;
}
