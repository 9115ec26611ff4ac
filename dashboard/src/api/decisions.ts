/** What people decide on advice. */
import { answer, api } from "./client";
import { everyPage } from "./farm";
import { useResource } from "./resource";
import type { DecisionIn } from "./schema";

/** Decisions on a field's advice as they were taken, also those taken back or decided anew. */
export function useDecisions(field: number) {
  return useResource(`decisions ${field}`, () =>
    everyPage((page) =>
      api.GET("/v1/advice-decisions", {
        params: { query: { field_id: field, withdrawn: true, ...page } },
      }),
    ),
  );
}

/** Accept advice or skip it; the same key again changes nothing. */
export async function decide(asked: DecisionIn, key: string): Promise<void> {
  await answer(
    api.POST("/v1/advice-decisions", {
      params: { header: { "Idempotency-Key": key } },
      body: asked,
    }),
  );
}

/** Take a decision back. */
export async function takeBack(decision: number): Promise<void> {
  await answer(
    api.DELETE("/v1/advice-decisions/{decision_id}", {
      params: { path: { decision_id: decision } },
    }),
  );
}
