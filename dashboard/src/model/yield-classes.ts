/** How a yield map's squares fall into the classes of its legend. */
import type { YieldMapOut } from "../api/schema";

export interface ClassRow {
  readonly place: number; // in the legend, from 0
  readonly from_kg_ha: number | null;
  readonly to_kg_ha: number | null;
  readonly cells: number;
  readonly share: number; // of the squares
}

/** Every class of the legend with how much of the field lies in it, from low to high. */
export function classesOf(map: Pick<YieldMapOut, "legend" | "features">): ClassRow[] {
  const counts = map.legend.map(() => 0);
  for (const { properties } of map.features) {
    counts[properties.class] = (counts[properties.class] ?? 0) + 1;
  }
  const whole = Math.max(map.features.length, 1);
  return map.legend.map((one, place) => {
    const cells = counts[place] ?? 0;
    return { place, ...one, cells, share: cells / whole };
  });
}
