/** Asks the REST API, with types made of its own description. */
import { signal } from "@preact/signals";
import createClient, { type Middleware } from "openapi-fetch";
import { LOADED_AT } from "../offline";
import type { Problem, paths } from "./schema";

/** Why there is no answer. */
export class Failure extends Error {
  constructor(
    readonly kind: "unreachable" | "signed-out" | "denied" | "gone" | "other",
    readonly status: number,
    readonly problem: Problem | null,
    readonly retryAfterS: number | null = null,
  ) {
    super(problem?.detail ?? kind);
  }
}

/** Whether the last question was answered at all. */
export const reachable = signal(true);
/** Where answers come from the browser's own store: when the last of them came, ms since 1970. */
export const keptSince = signal<number | null>(null);
/** Sent with whatever writes; known once somebody has signed in. */
export const csrf = signal<string | null>(null);

const credentials: Middleware = {
  onRequest({ request }) {
    if (csrf.value !== null && request.method !== "GET") {
      request.headers.set("X-CSRF-Token", csrf.value);
    }
  },
};

export const api = createClient<paths, "application/json">({
  baseUrl: globalThis.location?.origin ?? "http://page",
});
api.use(credentials);

/** A key for a write that may be sent again; made without what only secure pages have. */
export function onceKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export interface Said<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer itself, or a Failure that says why there is none. */
export async function answer<T>(asked: Promise<Said<T>>): Promise<NonNullable<T>> {
  let said: Said<T>;
  try {
    said = await asked;
  } catch {
    reachable.value = false;
    throw new Failure("unreachable", 0, null);
  }
  const { data, error, response } = said;
  const kept = Number(response.headers.get(LOADED_AT));
  reachable.value = kept === 0;
  keptSince.value = kept || null;
  if (response.ok) return data as NonNullable<T>;
  const after = Number(response.headers.get("Retry-After"));
  throw new Failure(kindOf(response.status), response.status, asProblem(error), after || null);
}

function kindOf(status: number): Failure["kind"] {
  if (status === 401) return "signed-out";
  if (status === 403) return "denied";
  if (status === 404) return "gone";
  if (status === 502 || status === 503 || status === 504) return "unreachable";
  return "other";
}

function asProblem(error: unknown): Problem | null {
  return typeof error === "object" && error !== null && "detail" in error
    ? (error as Problem)
    : null;
}
