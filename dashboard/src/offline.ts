/** What the page and its service worker agree on. */

/** Header of an answer that was kept: when it came, ms since 1970. */
export const LOADED_AT = "X-Dala-Loaded-At";

/** Let the worker keep the page and its answers; where a browser cannot, nothing is kept. */
export function keepForOffline(): void {
  void navigator.serviceWorker?.register("/worker.js", { type: "module" }).catch(() => {});
}

/** Nothing of a session stays in the browser after it. */
export function forgetKept(): void {
  void globalThis.caches?.delete("dala-data");
}
