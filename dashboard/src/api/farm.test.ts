import { expect, it } from "vitest";
import { dayAt, dayOf, nextCursor } from "./farm";

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

it("the next page is found in the header, or there is none", () => {
  expect(nextCursor('</v1/farms?limit=2&cursor=ab%3D>; rel="next"')).toBe("ab=");
  expect(nextCursor(null)).toBeUndefined();
  expect(nextCursor('</v1/farms>; rel="first"')).toBeUndefined();
});
