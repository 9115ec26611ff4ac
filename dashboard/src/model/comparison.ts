/** A field beside itself last year and beside its neighbours. */
import type { CropZoneSummary, FieldOut } from "../api/schema";
import { distanceM, placeWithin } from "./geometry";

export interface Compared {
  readonly zone: CropZoneSummary;
  readonly season: number;
  readonly kind: "own" | "before" | "neighbour";
  readonly distanceM: number | null; // of a neighbour, from middle to middle
}

const NEIGHBOURS = 4;

/** The crop itself, the field's crops of the season before, and the nearest of the same crop. */
export function compared(
  own: CropZoneSummary,
  season: number,
  zones: readonly CropZoneSummary[],
  before: readonly CropZoneSummary[],
  fields: readonly FieldOut[],
): Compared[] {
  const places = new Map(fields.map((field) => [field.id, placeWithin(field.geometry)]));
  const here = places.get(own.field_id) ?? null;
  const neighbours = zones
    .filter((zone) => zone.crop === own.crop && zone.field_id !== own.field_id)
    .map((zone): Compared => {
      const there = places.get(zone.field_id) ?? null;
      const far = here && there ? distanceM(here, there) : null;
      return { zone, season, kind: "neighbour", distanceM: far };
    })
    .sort((a, b) => (a.distanceM ?? Infinity) - (b.distanceM ?? Infinity));
  const earlier = before
    .filter((zone) => zone.field_id === own.field_id)
    .map((zone): Compared => ({ zone, season: season - 1, kind: "before", distanceM: null }));
  return [
    { zone: own, season, kind: "own", distanceM: null },
    ...earlier,
    ...neighbours.slice(0, NEIGHBOURS),
  ];
}
