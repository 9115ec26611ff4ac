import { expect, it } from "vitest";
import type { MachineDayOut } from "../api/schema";
import { around } from "./machine-days";

const days = (...of: string[]) => of.map((day) => ({ day }) as MachineDayOut);

it("the days of work beside a day are found over the turn of a year", () => {
  const worked = days("2024-10-02", "2024-12-30", "2025-05-15", "2025-05-15", "2026-01-03");
  expect(around(worked, "2025-05-15")).toEqual({ before: "2024-12-30", after: "2026-01-03" });
  expect(around(worked, "2025-01-01")).toEqual({ before: "2024-12-30", after: "2025-05-15" });
});

it("before the first and after the last day there is none", () => {
  expect(around(days("2025-05-15"), "2025-05-15")).toEqual({ before: null, after: null });
});
