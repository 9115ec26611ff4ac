/** Features of maps, and where on a field a sign may stand. */
import type { Feature, Geometry } from "geojson";

export type Place = readonly [longitude: number, latitude: number];
type Ring = readonly Place[];

interface Shape {
  readonly type?: unknown;
  readonly coordinates?: unknown;
}

export function feature(geometry: Geometry, properties: Record<string, unknown>): Feature {
  return { type: "Feature", geometry, properties };
}

/** A place within a GeoJSON Polygon or MultiPolygon, whatever its form; null where it is none. */
export function placeWithin(shape: Shape | null): Place | null {
  const polygon = largest(polygonsOf(shape));
  const outer = polygon?.[0];
  if (!polygon || !outer || outer.length < 4) return null;
  const heights = outer.map(([, latitude]) => latitude);
  // A little off the middle: a corner that lies there exactly is not met.
  const height = Math.min(...heights) + 0.5003 * (Math.max(...heights) - Math.min(...heights));
  const crossings = polygon.flatMap((ring) => crossed(ring, height)).sort((a, b) => a - b);
  let best: Place | null = null;
  let widest = 0;
  for (let at = 0; at + 1 < crossings.length; at += 2) {
    const [west, east] = [crossings[at] ?? 0, crossings[at + 1] ?? 0];
    if (east - west > widest) {
      widest = east - west;
      best = [(west + east) / 2, height];
    }
  }
  return best;
}

/** Metres between two places on a sphere; near enough to tell neighbours. */
export function distanceM(a: Place, b: Place): number {
  const radians = Math.PI / 180;
  const east = (b[0] - a[0]) * radians * Math.cos(((a[1] + b[1]) / 2) * radians);
  return 6_371_000 * Math.hypot(east, (b[1] - a[1]) * radians);
}

function polygonsOf(shape: Shape | null): Ring[][] {
  if (shape?.type === "Polygon") return [shape.coordinates as Ring[]];
  return shape?.type === "MultiPolygon" ? (shape.coordinates as Ring[][]) : [];
}

function largest(polygons: Ring[][]): Ring[] | undefined {
  const sized = polygons.map((polygon) => ({ polygon, size: Math.abs(area(polygon[0] ?? [])) }));
  return sized.sort((a, b) => b.size - a.size)[0]?.polygon;
}

function area(ring: Ring): number {
  let sum = 0;
  for (const [from, to] of edges(ring)) sum += from[0] * to[1] - to[0] * from[1];
  return sum / 2;
}

/** Where a ring crosses a parallel. */
function crossed(ring: Ring, height: number): number[] {
  return edges(ring).flatMap(([from, to]) =>
    from[1] > height === to[1] > height
      ? []
      : [from[0] + ((height - from[1]) / (to[1] - from[1])) * (to[0] - from[0])],
  );
}

function edges(ring: Ring): [Place, Place][] {
  return ring.slice(1).map((to, index) => [ring[index] as Place, to]);
}
