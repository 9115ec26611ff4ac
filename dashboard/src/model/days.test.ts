import { expect, it } from "vitest";
import { dayAfter, dayAt, dayOf, dayWithin } from "./days";

it("days follow each other over months and leap years, both ways", () => {
  expect(dayAfter("2024-02-28")).toBe("2024-02-29");
  expect(dayAfter("2025-12-31")).toBe("2026-01-01");
  expect(dayAfter("2025-03-01", -29)).toBe("2025-01-31");
});

it("a day of Kazakhstan begins five hours before that of Greenwich", () => {
  expect(dayAt("2025-07-01", "Asia/Almaty")).toEqual({
    start: "2025-06-30T19:00:00.000Z",
    end: "2025-07-01T19:00:00.000Z",
  });
});

it("the change of 2024-03-01 made one day an hour longer", () => {
  const { start, end } = dayAt("2024-02-29", "Asia/Almaty"); // UTC+6 before, UTC+5 after
  expect((Date.parse(end) - Date.parse(start)) / 3_600_000).toBe(25);
});

it("a day that has begun in Kazakhstan is today there, whatever Greenwich says", () => {
  const night = Date.parse("2025-06-30T19:30:00Z"); // 00:30 at UTC+5
  expect(dayOf(night, "Asia/Almaty")).toBe("2025-07-01");
  expect(dayOf(night, "UTC")).toBe("2025-06-30");
});

it("a day within a season is well inside it", () => {
  expect(dayWithin("2025-04-20", "2025-09-17")).toBe("2025-07-19"); // 90 of 150 days on
});
