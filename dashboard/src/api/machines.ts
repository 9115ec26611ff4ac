/** The questions about machines, flights and herds. */

import { dayAfter, dayAt } from "../model/days";
import { answer, api } from "./client";
import { useResource } from "./resource";
import type { TrackOut, WorkMapOut } from "./schema";

/** Days as they are asked for: the last one is included. */
export interface Span {
  readonly first: string; // ISO
  readonly last: string;
}

const spanKey = (span: Span) => `${span.first} ${span.last}`;

/** Every day of the year on which anything was done; the newest year where none is given. */
export function useWorkDays(farm: string, year: number | null, wanted = true) {
  return useResource(wanted ? `work days ${farm} ${year}` : null, () =>
    answer(
      api.GET("/v1/farms/{farm}/work-days", {
        params: { path: { farm }, query: year === null ? {} : yearOf(year) },
      }),
    ),
  );
}

/** Operations and pastures of a year up to a day. */
export function useWork(farm: string, until: string | null) {
  return useResource(until === null ? null : `work of ${farm} ${until}`, () =>
    answer(
      api.GET("/v1/farms/{farm}/work", {
        params: {
          path: { farm },
          query: { start: `${(until ?? "").slice(0, 4)}-01-01`, end: dayAfter(until ?? "") },
        },
      }),
    ),
  );
}

/** What machines covered, or drones flew, on the days; each by itself. */
export function useWorkMaps(machines: readonly string[], span: Span | null, field: number | null) {
  const key = span && machines.length > 0 ? machines.join() : null;
  return useResource(
    key && span && `work maps ${key} ${spanKey(span)} ${field}`,
    (): Promise<WorkMapOut[]> =>
      Promise.all(
        machines.map((device_id) =>
          answer(
            api.GET("/v1/devices/{device_id}/work-map", {
              params: {
                path: { device_id },
                query: {
                  start: span?.first ?? "",
                  end: dayAfter(span?.last ?? ""),
                  ...(field === null ? {} : { field_id: field }),
                },
              },
            }),
          ),
        ),
      ),
  );
}

/** Points of machines on the days of a farm. */
export function useTracksOf(machines: readonly string[], span: Span | null, timezone: string) {
  const key = span && machines.length > 0 ? machines.join() : null;
  return useResource(
    key && span && `tracks of ${key} ${spanKey(span)}`,
    (): Promise<TrackOut[]> =>
      Promise.all(
        machines.map((device_id) => {
          const start = dayAt(span?.first ?? "", timezone).start;
          const end = dayAt(span?.last ?? "", timezone).end;
          return answer(
            api.GET("/v1/devices/{device_id}/track", {
              params: { path: { device_id }, query: { start, end } },
            }),
          );
        }),
      ),
  );
}

function yearOf(year: number): { start: string; end: string } {
  return { start: `${year}-01-01`, end: `${year + 1}-01-01` };
}
