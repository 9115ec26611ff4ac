import { expect, it } from "vitest";
import type { FieldOut, PositionsOut } from "../api/schema";
import { lookOf, signKind, signsOf } from "./signs";

const DEVICE = {
  device_id: "probe",
  kind: "soil-probe",
  name: "Probe",
  field_id: 1,
  silent: false,
  heard_at: null,
  time: null,
  latitude_deg: null,
  longitude_deg: null,
  heading_deg: null,
  speed_m_s: null,
  work_state: null,
};
const FIELD = {
  id: 1,
  geometry: {
    type: "Polygon",
    coordinates: [
      [
        [68, 43],
        [69, 43],
        [69, 44],
        [68, 44],
        [68, 43],
      ],
    ],
  },
} as unknown as FieldOut;
const FARM = { latitude_deg: 50, longitude_deg: 60 };
const told = (devices: object[], herds: object[] = []): PositionsOut =>
  ({ devices: devices.map((one) => ({ ...DEVICE, ...one })), herds }) as unknown as PositionsOut;

it("what stands on a field is shown on it, side by side; what stands on none at the farm", () => {
  const signs = signsOf(
    told([{ device_id: "a" }, { device_id: "b" }, { device_id: "c", field_id: null }]),
    [FIELD],
    FARM,
  );
  expect(signs.map((one) => [one.id, Math.round(one.at[0])])).toEqual([
    ["a", 69], // 68.5
    ["b", 69],
    ["c", 60],
  ]);
  expect(signs[0]?.shift).not.toEqual(signs[1]?.shift);
  expect(signs[2]?.shift).toEqual([0, -0]);
});

it("a device on a field without a boundary is not shown, rather than anywhere", () => {
  expect(signsOf(told([{}]), [{ ...FIELD, geometry: null }], FARM)).toEqual([]);
});

it("a machine is where its newest point is, with its heading; without one it is nowhere", () => {
  const at = { latitude_deg: 43.5, longitude_deg: 68.2, heading_deg: 270 };
  const [sign, ...others] = signsOf(
    told([
      { device_id: "t", kind: "tractor", ...at },
      { device_id: "parked", kind: "tractor" },
    ]),
    [FIELD],
    FARM,
  );
  expect(sign).toMatchObject({ id: "t", kind: "machine", at: [68.2, 43.5], heading: 270 });
  expect(others).toEqual([]);
});

it("a herd is a sign of its own beside the drone that saw it", () => {
  const herd = { device_id: "d", name: "Drone", day: "2025-07-01", animals: 200 };
  const signs = signsOf(
    told(
      [{ device_id: "d", kind: "herding-drone", latitude_deg: 53, longitude_deg: 63 }],
      [{ ...herd, latitude_deg: 53.1, longitude_deg: 63.1 }],
    ),
    [],
    undefined,
  );
  expect(signs.map((one) => [one.kind, one.id])).toEqual([
    ["herd", "herd d"],
    ["drone", "d"],
  ]);
});

it.each([
  ["tractor", 90, false, "machine"],
  ["truck", null, false, "still"], // nobody knows which way: no arrowhead
  ["combine", 90, true, "machine"], // one at rest for the winter is no fault
  ["herding-drone", null, false, "drone"],
  ["collar", null, true, "herd"],
  ["flow-meter", null, false, "device"],
  ["flow-meter", null, true, "silent"],
])("a %s of heading %s, silent: %s, looks as %s", (kind, heading, silent, look) => {
  expect(lookOf({ kind: signKind(kind), heading, silent })).toBe(look);
});
