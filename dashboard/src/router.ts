/** What the address says, and back; every state worth sharing is in it. */
import { signal } from "@preact/signals";

type Reader<T> = (text: string | null) => T;

interface Place {
  readonly path: string; // ":name" is a part that is read
  readonly parts: Record<string, Reader<string | number | null>>;
  readonly query: Record<string, Reader<string | number | null>>;
}

/** Every place of the page; a part of the path that cannot be read is no place of ours. */
const PLACES = {
  home: { path: "/", parts: {}, query: {} },
  farms: { path: "/farms", parts: {}, query: {} },
  "sign-in": { path: "/sign-in", parts: {}, query: { back: local } },
  password: { path: "/password", parts: {}, query: {} },
  today: { path: "/farms/:farm", parts: { farm: text }, query: { day, field: whole } },
  field: {
    path: "/farms/:farm/fields/:field",
    parts: { farm: text, field: whole },
    query: { season: whole, crop_zone: whole, day },
  },
  savings: { path: "/farms/:farm/savings", parts: { farm: text }, query: { season: whole } },
  method: { path: "/farms/:farm/savings/method", parts: { farm: text }, query: { season: whole } },
  machines: {
    path: "/farms/:farm/machines",
    parts: { farm: text },
    query: { day, until: day, machine: text, field: whole, show: text },
  },
  yield: {
    path: "/farms/:farm/yield",
    parts: { farm: text },
    query: { season: whole, field: whole, points: text },
  },
  devices: {
    path: "/farms/:farm/devices",
    parts: { farm: text },
    query: { device: text, state: text, alerts: text, acknowledged: text },
  },
  claim: { path: "/farms/:farm/devices/new", parts: { farm: text }, query: { identity: text } },
  region: { path: "/regions/:region", parts: { region: text }, query: { season: whole, by: text } },
} as const satisfies Record<string, Place>;

type Name = keyof typeof PLACES;
type Read<R extends Place["query"]> = { -readonly [K in keyof R]: ReturnType<R[K]> };
type Known<R extends Place["parts"]> = { -readonly [K in keyof R]: NonNullable<ReturnType<R[K]>> };

/** Where one is: the name of a place with what its address says. */
export type Route =
  | {
      [N in Name]: { name: N } & Known<(typeof PLACES)[N]["parts"]> &
        Read<(typeof PLACES)[N]["query"]>;
    }[Name]
  | { name: "nowhere" };

/** The route of one place. */
export type At<N extends Name> = Extract<Route, { name: N }>;

/** Read an address of ours. */
export function parse(address: string): Route {
  const url = new URL(address, "http://page");
  const given = url.pathname.split("/").filter(Boolean).map(decoded);
  for (const [name, place] of Object.entries(PLACES) as [Name, Place][]) {
    const parts = matched(place, given);
    if (parts === null) continue;
    const query = Object.entries(place.query).map(([key, read]) => [
      key,
      read(url.searchParams.get(key)),
    ]);
    return { name, ...parts, ...Object.fromEntries(query) } as Route;
  }
  return { name: "nowhere" };
}

/** The address of a route. */
export function href(route: Route): string {
  if (route.name === "nowhere") return "/";
  const place: Place = PLACES[route.name];
  const values = route as Record<string, unknown>;
  const path = place.path.replace(/:(\w+)/g, (_, part) => encodeURIComponent(String(values[part])));
  const query = new URLSearchParams();
  for (const [key, read] of Object.entries(place.query)) {
    const value = values[key] ?? null;
    if (value !== read(null)) query.set(key, String(value));
  }
  const rest = query.toString();
  return rest ? `${path}?${rest}` : path;
}

function matched(place: Place, given: string[]): Record<string, string | number> | null {
  const wanted = place.path.split("/").filter(Boolean);
  if (wanted.length !== given.length) return null;
  const found: Record<string, string | number> = {};
  for (const [index, part] of wanted.entries()) {
    const said = given[index] ?? "";
    if (!part.startsWith(":")) {
      if (part !== said) return null;
      continue;
    }
    const value = place.parts[part.slice(1)]?.(said) ?? null;
    if (value === null) return null;
    found[part.slice(1)] = value;
  }
  return found;
}

const here = () => globalThis.location?.pathname + globalThis.location?.search;

/** What is shown. */
export const route = signal<Route>(globalThis.location ? parse(here()) : { name: "home" });

/** Go somewhere; with ``replace`` the place left is not in the history. */
export function go(to: Route | string, replace = false): void {
  const address = typeof to === "string" ? to : href(to);
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  route.value = parse(address);
}

/** Follow links of ours without loading the page anew; leave every other to the browser. */
export function listen(): void {
  window.addEventListener("popstate", () => {
    route.value = parse(here());
  });
  document.addEventListener("click", (click) => {
    if (click.defaultPrevented || click.button !== 0) return;
    if (click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
    const link = (click.target as Element | null)?.closest?.("a");
    if (!link?.href || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.pathname.startsWith("/v1/") || url.hash) return;
    click.preventDefault();
    go(url.pathname + url.search);
  });
}

/** A part of an address as it was meant; what cannot be decoded, as it stands. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function text(said: string | null): string | null {
  return said;
}

function whole(said: string | null): number | null {
  return said !== null && /^[1-9]\d{0,14}$/.test(said) ? Number(said) : null;
}

function day(said: string | null): string | null {
  if (said === null || !/^\d{4}-\d\d-\d\d$/.test(said)) return null;
  return Number.isNaN(Date.parse(said)) ? null : said;
}

/** Only a path of ours is gone back to, never another site. */
function local(back: string | null): string {
  return back !== null && /^\/(?![/\\])/.test(back) ? back : "/";
}
