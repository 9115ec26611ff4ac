/** The questions about a harvest: maps of its yield, the points they are made of, loads. */
import { answer, api } from "./client";
import { everyPage } from "./farm";
import { useResource } from "./resource";

export function useYieldMap(field: number | null, season: number | null) {
  const known = field !== null && season !== null;
  return useResource(known ? `yield ${field} ${season}` : null, () =>
    answer(
      api.GET("/v1/fields/{field_id}/yield-map", {
        params: { path: { field_id: field ?? 0 }, query: { season: season ?? 0 } },
      }),
    ),
  );
}

/** Every point of the map; asked for when somebody wants to see them. */
export function useYieldPoints(field: number | null, season: number | null, wanted: boolean) {
  const known = wanted && field !== null && season !== null;
  return useResource(known ? `yield points ${field} ${season}` : null, () =>
    answer(
      api.GET("/v1/fields/{field_id}/yield-points", {
        params: { path: { field_id: field ?? 0 }, query: { season: season ?? 0 } },
      }),
    ),
  );
}

/** Weighed loads of a crop on a field in a season. */
export function useLoads(zone: number | null) {
  return useResource(zone === null ? null : `loads ${zone}`, () =>
    everyPage((page) =>
      api.GET("/v1/harvest-loads", {
        params: { query: { crop_zone_id: zone ?? 0, ...page } },
      }),
    ),
  );
}
