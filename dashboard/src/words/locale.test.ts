import { expect, it } from "vitest";
import { dateWriter, numberLocale, pluralForm } from "./locale";

const JULY = Date.parse("2025-07-20T09:05:00Z");

it.each([
  ["kk", "year", "2025 ж. 20 шілде"],
  ["kk", "long", "20 шілде"],
  ["kk", "short", "20 шіл."],
  ["kk", "moment", "20 шіл., 09:05"],
  ["ru", "year", "20 июля 2025 г."],
  ["en", "long", "20 July"],
  ["en", "moment", "20 Jul, 09:05"],
] as const)("a day in %s, %s: %s", (language, style, said) => {
  expect(dateWriter(language, style, "UTC")(JULY).replace(/\u202f|\u00a0/g, " ")).toBe(said);
});

it("a Kazakh date is of the zone asked for", () => {
  expect(dateWriter("kk", "moment", "Asia/Almaty")(JULY)).toBe("20 шіл., 14:05");
});

// Node's Intl knows Kazakh, where a browser's may not: what we do by hand is what it does.
it("Kazakh plurals and months are those of CLDR", () => {
  const rules = new Intl.PluralRules("kk");
  for (const count of [0, 1, 2, 5, 11, 21, 101, 1.5]) {
    expect(pluralForm("kk", count), String(count)).toBe(rules.select(count));
  }
  const months = new Intl.DateTimeFormat("kk", { month: "long", day: "numeric", timeZone: "UTC" });
  for (let month = 0; month < 12; month += 1) {
    const at = Date.UTC(2025, month, 5);
    expect(dateWriter("kk", "long", "UTC")(at)).toBe(months.format(at));
  }
});

it("Kazakh numbers are those of CLDR", () => {
  const blanks = (text: string) => text.replace(/\s/g, " ");
  for (const value of [1234567.5, -0.25, 12]) {
    const ours = new Intl.NumberFormat(numberLocale("kk")).format(value);
    expect(blanks(ours)).toBe(blanks(new Intl.NumberFormat("kk").format(value)));
  }
});
