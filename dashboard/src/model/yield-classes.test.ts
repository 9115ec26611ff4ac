import { expect, it } from "vitest";
import type { YieldMapOut } from "../api/schema";
import { classesOf } from "./yield-classes";

it("every class of the legend is told, those too that no square is in", () => {
  const map = {
    legend: [
      { from_kg_ha: null, to_kg_ha: 1000 },
      { from_kg_ha: 1000, to_kg_ha: 2000 },
      { from_kg_ha: 2000, to_kg_ha: null },
    ],
    features: [0, 2, 2, 2].map((place) => ({ properties: { class: place } })),
  } as unknown as YieldMapOut;
  expect(classesOf(map).map((one) => [one.cells, one.share])).toEqual([
    [1, 0.25],
    [0, 0],
    [3, 0.75],
  ]);
});
