/** Days of a calendar, as ISO 8601 writes them, and the moments of a place at which they begin. */

const DAY_MS = 86_400_000;

/** The day so many days after a day; before it, where the number is negative. */
export function dayAfter(day: string, days = 1): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The day of a moment, ms since 1970, in a place; in that of the browser where it is not known. */
export function dayOf(at: number, timezone: string | undefined): string {
  return new Intl.DateTimeFormat("sv", { timeZone: timezone }).format(at); // Swedes write ISO 8601
}

const writers = new Map<string, Intl.DateTimeFormat>(); // to make one takes longer than to use it

/** What writes how far a time zone is ahead. */
function offsets(timeZone: string): Intl.DateTimeFormat {
  const found =
    writers.get(timeZone) ??
    new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  writers.set(timeZone, found);
  return found;
}

/** The moments at which a day of a place begins and ends. */
export function dayAt(day: string, timezone: string): { start: string; end: string } {
  const begins = (iso: string) => {
    const utc = Date.parse(`${iso}T00:00:00Z`);
    const parts = offsets(timezone).formatToParts(utc);
    const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "GMT";
    const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(name) ?? [];
    const ahead = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === "-" ? -1 : 1);
    return new Date(utc - ahead * 60_000);
  };
  return { start: begins(day).toISOString(), end: begins(dayAfter(day)).toISOString() };
}

/** A day well inside a season, for looking back: three fifths of the way. */
export function dayWithin(planted: string, harvested: string): string {
  const [from, to] = [Date.parse(planted), Date.parse(harvested)];
  return dayAfter(planted, Math.round((0.6 * (to - from)) / DAY_MS));
}
