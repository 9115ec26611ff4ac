import { expect, it } from "vitest";
import type { CropZoneSummary, FieldOut } from "../api/schema";
import { compared } from "./comparison";

const zone = (id: number, field_id: number, crop = "cotton") =>
  ({ id, field_id, crop, field: `field-${field_id}` }) as CropZoneSummary;
const square = (id: number, west: number) =>
  ({
    id,
    geometry: {
      type: "Polygon",
      coordinates: [
        [
          [west, 43],
          [west + 0.01, 43],
          [west + 0.01, 43.01],
          [west, 43.01],
          [west, 43],
        ],
      ],
    },
  }) as unknown as FieldOut;
const fields = [square(1, 68), square(2, 68.5), square(3, 68.02), square(4, 68.01)];

it("stands beside itself a year ago, then beside the nearest of its crop", () => {
  const season = [zone(1, 1), zone(2, 2), zone(3, 3), zone(4, 4, "maize")];
  const found = compared(season[0] as CropZoneSummary, 2025, season, [zone(9, 1, "maize")], fields);
  expect(found.map((one) => [one.kind, one.zone.id, one.season])).toEqual([
    ["own", 1, 2025],
    ["before", 9, 2024],
    ["neighbour", 3, 2025],
    ["neighbour", 2, 2025],
  ]);
  // 0.02° of longitude at 43° N: 0.02 × 111.2 km × cos 43° = 1.63 km
  expect(found[2]?.distanceM).toBeCloseTo(1627, -1);
});

it("neighbours without a boundary come last, and never too many", () => {
  const many = [1, 2, 3, 4, 5, 6, 7].map((id) => zone(id, id));
  const found = compared(many[0] as CropZoneSummary, 2025, many, [], fields);
  expect(found.filter((one) => one.kind === "neighbour").map((one) => one.zone.id)).toEqual([
    4, 3, 2, 5,
  ]);
});
