/** What probes of a field measured, depth by depth. */
import { answer, api } from "./client";
import { useResource } from "./resource";

/** By the hour where the screen has room for hours, else by the day. */
export function useSoilMoisture(field: number, season: number | null, zone: number | null) {
  const resolution = matchMedia("(min-width: 760px)").matches ? "hour" : "day";
  const key = season === null ? null : `soil ${field} ${season} ${zone} ${resolution}`;
  return useResource(key, () =>
    answer(
      api.GET("/v1/fields/{field_id}/soil-moisture", {
        params: {
          path: { field_id: field },
          query: { season: season ?? 0, resolution, ...(zone === null ? {} : { crop_zone: zone }) },
        },
      }),
    ),
  );
}
