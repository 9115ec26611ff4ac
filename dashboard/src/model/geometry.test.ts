import { expect, it } from "vitest";
import { distanceM, placeWithin } from "./geometry";

it("a square's place is its middle", () => {
  const square = [
    [68, 43],
    [69, 43],
    [69, 44],
    [68, 44],
    [68, 43],
  ];
  const [east, north] = placeWithin({ type: "Polygon", coordinates: [square] }) ?? [];
  expect(east).toBeCloseTo(68.5, 6);
  expect(north).toBeCloseTo(43.5, 3);
});

it("a horseshoe's place is on one of its arms, never in the gap between", () => {
  const horseshoe = [
    [0, 0],
    [10, 0],
    [10, 10],
    [9, 10],
    [9, 1],
    [3, 1],
    [3, 10],
    [0, 10],
    [0, 0],
  ];
  const place = placeWithin({ type: "Polygon", coordinates: [horseshoe] });
  expect(place?.[0]).toBeCloseTo(1.5, 6); // the wider arm lies between 0 and 3
});

it("a hole is no place, and of many parts the largest counts", () => {
  const square = (west: number, size: number) => [
    [west, 0],
    [west + size, 0],
    [west + size, size],
    [west, size],
    [west, 0],
  ];
  const hole = [
    [101, 1],
    [107, 1],
    [107, 9],
    [101, 9],
    [101, 1],
  ];
  const parts = [[square(0, 1)], [square(100, 10), hole]];
  const place = placeWithin({ type: "MultiPolygon", coordinates: parts });
  expect(place?.[0]).toBeCloseTo(108.5, 6); // of 100–101 and 107–110 the wider
});

it("what has no area has no place", () => {
  expect(placeWithin(null)).toBeNull();
  expect(placeWithin({ type: "Point", coordinates: [1, 2] })).toBeNull();
});

it("a degree of latitude is 111 km, of longitude at 60° half of that", () => {
  expect(distanceM([60, 50], [60, 51])).toBeCloseTo(111_195, -1);
  expect(distanceM([60, 60], [61, 60])).toBeCloseTo(111_195 / 2, -1);
});
