/** Files of lists. The API sends a list page by page; what a person takes along is all of it. */
import { answer, type Said } from "./client";
import { nextCursor } from "./farm";

const MOST = "1000"; // rows a page, as many as the API sends at once

/** A CSV of every row, its names of columns once. */
export async function wholeTable(address: string): Promise<Blob> {
  const url = new URL(address, location.origin);
  url.searchParams.set("limit", MOST);
  const parts: string[] = [];
  for (;;) {
    const asked = page(url);
    const text = await answer(asked);
    parts.push(parts.length === 0 ? text : text.slice(text.indexOf("\n") + 1));
    const cursor = nextCursor((await asked).response.headers.get("Link"));
    if (cursor === undefined) return new Blob(parts, { type: "text/csv" });
    url.searchParams.set("cursor", cursor);
  }
}

async function page(url: URL): Promise<Said<string>> {
  const response = await fetch(url);
  return response.ok
    ? { data: await response.text(), response }
    : { error: await response.json().catch(() => null), response };
}

/** Have the browser keep a file under a name. */
export function keepFile(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // once it is surely written
}
