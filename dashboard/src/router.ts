/** What the address says, and back; every state worth sharing is in it. */
import { signal } from "@preact/signals";

export type Route =
  | { name: "farms" }
  | { name: "sign-in"; back: string }
  | { name: "today"; farm: string; day: string | null; field: number | null }
  | {
      name: "field";
      farm: string;
      field: number;
      season: number | null;
      day: string | null;
      zone: number | null;
    }
  | { name: "savings"; farm: string; season: number | null }
  | { name: "nowhere" };

/** Read an address of ours. */
export function parse(address: string): Route {
  const url = new URL(address, "http://page");
  const query = url.searchParams;
  const day = isDay(query.get("day"));
  const [first, farm, third, fourth, ...rest] = url.pathname
    .split("/")
    .filter(Boolean)
    .map(decoded);
  if (first === undefined || (first === "farms" && farm === undefined)) return { name: "farms" };
  if (first === "sign-in" && farm === undefined)
    return { name: "sign-in", back: local(query.get("back")) };
  if (first !== "farms" || farm === undefined || rest.length > 0) return { name: "nowhere" };
  if (third === undefined) return { name: "today", farm, day, field: whole(query.get("field")) };
  if (third === "savings" && fourth === undefined) {
    return { name: "savings", farm, season: whole(query.get("season")) };
  }
  const field = whole(fourth ?? null);
  if (third === "fields" && field !== null) {
    const [season, zone] = [whole(query.get("season")), whole(query.get("crop_zone"))];
    return { name: "field", farm, field, season, day, zone };
  }
  return { name: "nowhere" };
}

/** The address of a route. */
export function href(route: Route): string {
  switch (route.name) {
    case "farms":
      return "/";
    case "sign-in":
      return withQuery("/sign-in", { back: route.back === "/" ? null : route.back });
    case "today":
      return withQuery(farmPath(route.farm), { day: route.day, field: route.field });
    case "field":
      return withQuery(`${farmPath(route.farm)}/fields/${route.field}`, {
        season: route.season,
        crop_zone: route.zone,
        day: route.day,
      });
    case "savings":
      return withQuery(`${farmPath(route.farm)}/savings`, { season: route.season });
    case "nowhere":
      return "/";
  }
}

const here = () => globalThis.location?.pathname + globalThis.location?.search;

/** What is shown. */
export const route = signal<Route>(globalThis.location ? parse(here()) : { name: "farms" });

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

function farmPath(farm: string): string {
  return `/farms/${encodeURIComponent(farm)}`;
}

function withQuery(path: string, values: Record<string, string | number | null>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null) query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function whole(text: string | null): number | null {
  return text !== null && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}

function isDay(text: string | null): string | null {
  if (text === null || !/^\d{4}-\d\d-\d\d$/.test(text)) return null;
  return Number.isNaN(Date.parse(text)) ? null : text;
}

/** Only a path of ours is gone back to, never another site. */
function local(back: string | null): string {
  return back !== null && /^\/(?![/\\])/.test(back) ? back : "/";
}
