/// <reference lib="webworker" />
/** Keeps the page and its last answers for when there is no connection; each with when it came. */
import { LOADED_AT } from "./offline";

declare const self: ServiceWorkerGlobalScope;

const PAGE = "dala-page";
const DATA = "dala-data";
const MOST_ANSWERS = 200;
const NEVER = [
  "/v1/events",
  "/v1/session/",
  "/v1/sessions",
  "/v1/accounts",
  "/v1/audit",
  "/v1/clients",
];

let session = 0;
let leaving = false; // somebody signs out, or did: what is still asked for is kept no more

self.addEventListener("install", () => void self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.pathname === "/v1/session" && request.method === "DELETE")
    event.respondWith(leave(request));
  if (url.pathname === "/v1/session" && request.method === "POST") leaving = false;
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/assets/")) event.respondWith(kept(request));
  else if (request.mode === "navigate") event.respondWith(page(request));
  else if (isData(url)) event.respondWith(fresh(request));
});

function isData(url: URL): boolean {
  if (url.pathname === "/page.json" || /^\/[a-z0-9-]*icon[a-z0-9-]*\.(svg|png)$/.test(url.pathname))
    return true;
  return url.pathname.startsWith("/v1/") && !NEVER.some((one) => url.pathname.startsWith(one));
}

/** What is of a session is kept apart, so that it can go with it. */
function storeOf(request: Request): string {
  return new URL(request.url).pathname.startsWith("/v1/") ? DATA : PAGE;
}

/** The name of an asset holds a hash of it: what was kept is right for ever. */
async function kept(request: Request): Promise<Response> {
  const cache = await caches.open(PAGE);
  const found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

/** Every address of the page is the same page. */
async function page(request: Request): Promise<Response> {
  const cache = await caches.open(PAGE);
  try {
    const answer = await fetch(request);
    if (answer.ok && answer.headers.get("Content-Type")?.startsWith("text/html")) {
      const text = await answer.clone().text();
      await forgetOldAssets(cache, text);
      await cache.put("/", answer.clone());
    }
    return answer;
  } catch (error) {
    const found = await cache.match("/");
    if (found) return found;
    throw error;
  }
}

/** A page of another build has other assets: those of the last one go, its chunks come as needed. */
async function forgetOldAssets(cache: Cache, text: string): Promise<void> {
  const known = await cache.match("/");
  if (known && (await known.text()) !== text) {
    for (const one of await cache.keys()) await cache.delete(one);
  }
}

/** The newest answer; without a connection the last one, with when it came. */
async function fresh(request: Request): Promise<Response> {
  const began = session;
  try {
    const answer = await fetch(request);
    if (answer.status === 401) await forget();
    if (answer.ok) await keep(request, answer.clone(), began);
    return answer;
  } catch (error) {
    const found = await caches.match(request, {
      cacheName: storeOf(request),
      ignoreVary: true,
    });
    if (found) return found;
    throw error;
  }
}

async function keep(request: Request, answer: Response, began: number): Promise<void> {
  const headers = new Headers(answer.headers);
  headers.set(LOADED_AT, String(Date.now()));
  const kept = new Response(await answer.blob(), { status: answer.status, headers });
  const isOver = () => leaving || began !== session; // the session in which it was asked for
  if (isOver()) return;
  const cache = await caches.open(storeOf(request));
  await cache.put(request, kept);
  if (isOver()) return forget(); // while it was being put
  const keys = await cache.keys();
  for (const old of keys.slice(0, Math.max(keys.length - MOST_ANSWERS, 0))) await cache.delete(old);
}

/** Sign out; where that fails the session goes on. */
async function leave(request: Request): Promise<Response> {
  leaving = true;
  try {
    const answer = await fetch(request);
    leaving = answer.ok || answer.status === 401;
    return answer;
  } catch (error) {
    leaving = false;
    throw error;
  } finally {
    await forget();
  }
}

/** A session is over: nothing of it stays, and what is still on its way is not kept. */
async function forget(): Promise<void> {
  session += 1;
  await caches.delete(DATA);
}
