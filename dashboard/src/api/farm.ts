/** The questions that the screens of a farm ask. */
import { useEffect } from "preact/hooks";
import { timeZone } from "../display";
import { language } from "../words";
import { answer, api, type Said } from "./client";
import { useResource } from "./resource";
import type { FarmSummary } from "./schema";

interface Page {
  readonly limit: number;
  readonly cursor?: string;
}

/** A whole list, however many pages it has. */
export async function everyPage<T>(ask: (page: Page) => Promise<Said<T[]>>): Promise<T[]> {
  const found: T[] = [];
  let page: Page = { limit: 1_000 };
  for (;;) {
    const asked = ask(page);
    found.push(...(await answer(asked)));
    const cursor = nextCursor((await asked).response.headers.get("Link"));
    if (cursor === undefined) return found;
    page = { ...page, cursor };
  }
}

export function useFarms() {
  return useResource("farms", () =>
    everyPage((page) => api.GET("/v1/farms", { params: { query: page } })),
  );
}

export function useRegions() {
  return useResource("regions", () => answer(api.GET("/v1/regions")));
}

/** A farm; what is shown with it is told in its time. */
export function useFarm(farm: string) {
  const found = useResource(`farm ${farm}`, () =>
    answer(api.GET("/v1/farms/{farm}", { params: { path: { farm } } })),
  );
  const zone = found.value?.timezone;
  useEffect(() => {
    timeZone.value = zone;
    return () => {
      timeZone.value = undefined;
    };
  }, [zone]);
  return found;
}

export function useFields(farm: string) {
  return useResource(`fields ${farm}`, () =>
    answer(api.GET("/v1/farms/{farm}/fields", { params: { path: { farm } } })),
  );
}

export function useField(field: number) {
  return useResource(`field ${field}`, () =>
    answer(api.GET("/v1/fields/{field_id}", { params: { path: { field_id: field } } })),
  );
}

/** What to do on a farm; asked for once it is wanted. */
export function useFarmAdvice(farm: string, day: string | null, wanted = true) {
  const spoken = language.value;
  return useResource(wanted ? `advice ${farm} ${day} ${spoken}` : null, () =>
    answer(
      api.GET("/v1/farms/{farm}/advice", {
        params: { path: { farm }, query: { language: spoken, ...(day ? { day } : {}) } },
      }),
    ),
  );
}

export function useFieldAdvice(field: number, day: string | null) {
  const spoken = language.value;
  return useResource(`advice of field ${field} ${day} ${spoken}`, () =>
    answer(
      api.GET("/v1/fields/{field_id}/advice", {
        params: { path: { field_id: field }, query: { language: spoken, ...(day ? { day } : {}) } },
      }),
    ),
  );
}

/** Results of a season, by default the newest; of no farm nothing is asked yet. */
export function useSummary(farm: string | null, season: number | null) {
  return useResource(
    farm === null ? null : `summary ${farm} ${season}`,
    () =>
      answer(
        api.GET("/v1/farms/{farm}/summary", {
          params: { path: { farm: farm ?? "" }, query: season === null ? {} : { season } },
        }),
      ) as Promise<FarmSummary>, // openapi-fetch makes arrays of pairs
  );
}

export function useBalance(field: number, season: number | null, zone: number | null) {
  return useResource(season === null ? null : `balance ${field} ${season} ${zone}`, () =>
    answer(
      api.GET("/v1/fields/{field_id}/water-balance", {
        params: {
          path: { field_id: field },
          query: { season: season ?? 0, ...(zone === null ? {} : { crop_zone: zone }) },
        },
      }),
    ),
  );
}

/** The cursor of the next page in a Link header (RFC 8288). */
export function nextCursor(link: string | null): string | undefined {
  for (const part of (link ?? "").split(",")) {
    const [, address] = /<([^>]+)>\s*;.*rel="?next"?/.exec(part) ?? [];
    if (address) return new URL(address, "http://page").searchParams.get("cursor") ?? undefined;
  }
  return undefined;
}
