/** What the map of a farm shows on a day. */
import { answer, api } from "./client";
import { useResource } from "./resource";

/** How much water the crops lack; light, whatever the number of fields. */
export function useWaterStatus(farm: string, day: string | null) {
  return useResource(`water ${farm} ${day}`, () =>
    answer(
      api.GET("/v1/farms/{farm}/water-status", {
        params: { path: { farm }, query: day ? { day } : {} },
      }),
    ),
  );
}

/** Where machines, drones, herds and devices are. */
export function usePositions(farm: string, day: string | null) {
  return useResource(`positions ${farm} ${day}`, () =>
    answer(
      api.GET("/v1/farms/{farm}/positions", {
        params: { path: { farm }, query: day ? { day } : {} },
      }),
    ),
  );
}
