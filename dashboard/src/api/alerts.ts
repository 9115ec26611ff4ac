/** Alerts of a farm, and saying that one knows of them. */
import { language } from "../words";
import { answer, api } from "./client";
import { everyPage } from "./farm";
import { expire, useResource } from "./resource";

export type AlertState = "active" | "cleared" | null;

/** Alerts of a farm, the newest first; null takes both. */
export function useAlerts(farm: string, state: AlertState, acknowledged: boolean | null = null) {
  const spoken = language.value;
  return useResource(`alerts ${farm} ${state} ${acknowledged} ${spoken}`, () =>
    everyPage((page) =>
      api.GET("/v1/alerts", {
        params: {
          query: {
            farm,
            language: spoken,
            ...(state === null ? {} : { state }),
            ...(acknowledged === null ? {} : { acknowledged }),
            ...page,
          },
        },
      }),
    ),
  );
}

/** Say that one knows of an alert, and what is being done; every list of them is asked for anew. */
export async function acknowledge(alert: number, note = ""): Promise<void> {
  await answer(
    api.POST("/v1/alerts/{alert_id}/acknowledgement", {
      params: { path: { alert_id: alert } },
      body: { note: note.trim() || null },
    }),
  );
  expire("alerts ");
}
