import { expect, it } from "vitest";
import type { AdviceDay, BalanceDay } from "../api/schema";
import { column, expectedDepletion, joined } from "./season";

const computed = (day: string, depletion_mm: number, measured_depletion_mm: number | null = null) =>
  ({ day, depletion_mm, measured_depletion_mm }) as BalanceDay;
const ahead = (day: string, mm: number) =>
  ({ day, depletion_without_irrigation_mm: mm }) as AdviceDay;

const balance = [computed("2025-07-01", 20, 22), computed("2025-07-02", 27)];
const season = joined(balance, [ahead("2025-07-03", 34), ahead("2025-07-04", 41)]);

it("days computed and days expected stand on one line, each once", () => {
  expect(season.days).toEqual(["2025-07-01", "2025-07-02", "2025-07-03", "2025-07-04"]);
  expect(joined(balance, [ahead("2025-07-02", 30)]).days).toHaveLength(2);
});

it("a number that a day lacks is no zero", () => {
  expect(column(season, (day) => day.measured_depletion_mm)).toEqual([22, null, null, null]);
});

it("what is expected begins at the evening before, in the unit asked for", () => {
  expect(expectedDepletion(season, 10)).toEqual([null, 270, 340, 410]);
  expect(expectedDepletion(joined(balance, []))).toEqual([null, null]);
});
