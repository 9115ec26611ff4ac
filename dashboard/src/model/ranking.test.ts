import { describe, expect, it } from "vitest";
import { type Estimate, ranked } from "./ranking";

const of = (value: number, low?: number, high?: number): Estimate => ({
  value,
  interval: low === undefined || high === undefined ? null : [low, high],
});

function ranks(...all: Estimate[]): string[] {
  return ranked(all, (one) => one).map((one) => `${one.estimate.value}: ${one.best}–${one.worst}`);
}

describe("ranks", () => {
  it("are each its own where no intervals meet", () => {
    expect(ranks(of(10, 9, 11), of(30, 29, 31), of(20, 19, 21))).toEqual([
      "30: 1–1",
      "20: 2–2",
      "10: 3–3",
    ]);
  });

  it("are shared by those whose intervals meet", () => {
    // 30 and 25 are not told apart, 10 lies below both.
    expect(ranks(of(30, 22, 38), of(25, 20, 30), of(10, 5, 15))).toEqual([
      "30: 1–2",
      "25: 1–2",
      "10: 3–3",
    ]);
  });

  it("need not be shared by a chain: its ends are told apart", () => {
    expect(ranks(of(30, 21, 39), of(20, 15, 25), of(10, 2, 18))).toEqual([
      "30: 1–2",
      "20: 1–3",
      "10: 2–3",
    ]);
  });

  it("that touch are ties", () => {
    expect(ranks(of(2, 1, 3), of(4, 3, 5))).toEqual(["4: 1–2", "2: 1–2"]);
  });

  it("may be any without an interval, and leave the others' as they are", () => {
    expect(ranks(of(30, 29, 31), of(20), of(10, 9, 11))).toEqual(["30: 1–2", "20: 1–3", "10: 2–3"]);
  });

  it("leave out what is not known", () => {
    expect(ranked([1, 2], (one) => (one === 1 ? null : of(2, 1, 3)))).toHaveLength(1);
  });
});
