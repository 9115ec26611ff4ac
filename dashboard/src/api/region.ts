/** The questions of who looks at a region, or at the country. */
import { answer, api } from "./client";
import { useResource } from "./resource";
import type { CountrySeen, RegionSummary } from "./schema";

export const COUNTRY = "KZ"; // ISO 3166-1; regions begin with it

/** Seasons that have crops, the newest first. */
export function useSeasons(region: string) {
  return useResource(`seasons ${region}`, () =>
    answer(api.GET("/v1/seasons", { params: { query: { region } } })),
  );
}

export function useRegion(region: string, season: number | null) {
  const key = region === COUNTRY || season === null ? null : `region ${region} ${season}`;
  return useResource(
    key,
    () =>
      answer(
        api.GET("/v1/regions/{code}/summary", {
          params: { path: { code: region }, query: { season: season ?? 0 } },
        }),
      ) as Promise<RegionSummary>, // openapi-fetch makes arrays of pairs
  );
}

export function useCountry(region: string, season: number | null) {
  return useResource(
    region === COUNTRY && season !== null ? `country ${season}` : null,
    () =>
      answer(
        api.GET("/v1/country/summary", { params: { query: { season: season ?? 0 } } }),
      ) as Promise<CountrySeen>,
  );
}
