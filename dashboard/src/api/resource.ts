/** Answers that a screen shows: kept while they are fresh, shown with their age when they are not. */
import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { forgetKept } from "../offline";
import { Failure, keptSince } from "./client";

export interface Resource<T> {
  readonly value: T | undefined;
  readonly at: number | undefined; // when the value came, ms since 1970
  readonly failure: Failure | null;
  readonly busy: boolean;
  readonly retry: () => void;
}

interface Entry<T> {
  value: T | undefined;
  at: number | undefined;
  failure: Failure | null;
  busy: boolean;
}

/** When an answer last came, ms since 1970; null before the first. */
export const lastLoaded = signal<number | null>(null);

const FRESH_MS = 30_000;
const AGAIN_MS = 300_000; // while a screen stays open
const entries = new Map<string, Signal<Entry<unknown>>>();
const onSignedOut: { call: () => void } = { call: () => {} };

/** What to do when an answer says that the session is over. */
export function whenSignedOut(call: () => void): void {
  onSignedOut.call = call;
}

/** Drop every answer. */
export function forget(): void {
  lastLoaded.value = null;
  forgetKept();
  entries.clear();
}

const shown = new Map<string, Set<() => void>>();

/** Ask anew for what is on the screen and whose key begins so. */
export function refresh(prefix: string): void {
  for (const [key, calls] of shown) {
    const [first] = calls;
    if (key.startsWith(prefix) && first) first();
  }
}

/** What was answered to questions whose key begins so is old: something was written. */
export function expire(prefix: string): void {
  for (const [key, entry] of entries) {
    if (key.startsWith(prefix)) entry.value = { ...entry.peek(), at: undefined };
  }
  refresh(prefix);
}

/** The answer to a question; ``key`` names it, null asks nothing yet. */
export function useResource<T>(key: string | null, load: () => Promise<T>): Resource<T> {
  const entry = useMemo(() => entryOf<T>(key), [key]);
  useEffect(() => {
    if (key === null) return;
    if (Date.now() - (entry.value.at ?? 0) > FRESH_MS) void fetchInto(entry, load);
    const again = () => void fetchInto(entry, load);
    const timer = setInterval(again, AGAIN_MS);
    window.addEventListener("online", again);
    const calls = shown.get(key) ?? new Set();
    shown.set(key, calls.add(again));
    return () => {
      calls.delete(again);
      clearInterval(timer);
      window.removeEventListener("online", again);
    };
  }, [key]);
  return { ...entry.value, retry: () => void fetchInto(entry, load) };
}

function entryOf<T>(key: string | null): Signal<Entry<T>> {
  const empty: Entry<T> = { value: undefined, at: undefined, failure: null, busy: key !== null };
  if (key === null) return signal(empty);
  const found = entries.get(key) ?? signal<Entry<unknown>>(empty);
  entries.set(key, found);
  return found as unknown as Signal<Entry<T>>;
}

async function fetchInto<T>(entry: Signal<Entry<T>>, load: () => Promise<T>): Promise<void> {
  entry.value = { ...entry.peek(), busy: true };
  try {
    const value = await load();
    const at = keptSince.value ?? Date.now();
    lastLoaded.value = at;
    entry.value = { value, at, failure: null, busy: false };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.kind === "signed-out") onSignedOut.call();
    entry.value = { ...entry.peek(), failure: error, busy: false };
  }
}
