import { describe, expect, it } from "vitest";
import { href, parse, type Route } from "./router";

const ROUTES: Route[] = [
  { name: "home" },
  { name: "farms" },
  { name: "sign-in", back: "/farms/a?day=2025-07-01" },
  { name: "today", farm: "turkistan-01", day: null, field: null },
  { name: "today", farm: "Ақмола 1/2", day: "2025-07-01", field: 7 },
  { name: "field", farm: "a", field: 12, season: 2025, day: "2025-07-01", crop_zone: 3 },
  { name: "savings", farm: "a", season: 2024 },
  { name: "method", farm: "a", season: null },
  { name: "password" },
  {
    name: "machines",
    farm: "a",
    day: "2025-05-15",
    until: null,
    machine: "t 1",
    field: 7,
    show: "speed",
  },
  { name: "yield", farm: "a", season: 2025, field: 7, points: "all" },
  {
    name: "devices",
    farm: "a",
    device: "lora:a8",
    state: null,
    alerts: "both",
    acknowledged: "no",
  },
  { name: "claim", farm: "a", identity: "lora:a84041ffff123456" },
  { name: "region", region: "KZ-39", season: 2025, by: "apparent" },
];

describe("an address", () => {
  it.each(ROUTES)("is read as it was written: $name", (route) => {
    expect(parse(href(route))).toEqual(route);
  });

  it.each([
    "/farms/a/fields/x",
    "/farms/a/fields/7/more",
    "/elsewhere",
    "/farms/a/nothing",
    "/farms/a/fields/-1",
  ])("that is none of ours leads nowhere: %s", (address) => {
    expect(parse(address)).toEqual({ name: "nowhere" });
  });

  it.each(["2025-13-40", "yesterday", ""])("with a day that is none is read without: %s", (day) => {
    expect(parse(`/farms/a?day=${day}`)).toMatchObject({ name: "today", day: null });
  });

  it.each([
    "https://elsewhere.example/",
    "//elsewhere.example",
    "/\\elsewhere.example",
    "javascript:alert(1)",
  ])("never sends somebody who signed in elsewhere: %s", (back) => {
    expect(parse(`/sign-in?back=${encodeURIComponent(back)}`)).toEqual({
      name: "sign-in",
      back: "/",
    });
  });
});
