/** Machines, drones, herds and devices as signs on a map: what each is, where, and which way. */
import type { FieldOut, PositionsOut } from "../api/schema";
import { type Place, placeWithin } from "./geometry";

const SIGN_KINDS = ["machine", "drone", "herd", "device"] as const;
export type SignKind = (typeof SIGN_KINDS)[number];
export type Look = SignKind | "still" | "silent";
/** How signs look: by kind, a machine of unknown heading as a disc, a device that is silent crossed. */
export const LOOKS: readonly Look[] = [...SIGN_KINDS, "still", "silent"];
type Position = PositionsOut["devices"][number];
type Herd = PositionsOut["herds"][number];

export interface Sign {
  readonly id: string;
  readonly kind: SignKind;
  readonly name: string;
  readonly at: Place;
  readonly shift: readonly [right: number, down: number]; // CSS pixels: beside others on a field
  readonly heading: number | null; // degrees clockwise from north
  readonly silent: boolean;
  readonly position: Position | null;
  readonly herd: Herd | null;
  readonly field: FieldOut | null; // that a device stands on
}

const MOVES: Record<string, SignKind> = {
  tractor: "machine",
  harvester: "machine",
  combine: "machine",
  sprayer: "machine",
  seeder: "machine",
  truck: "machine",
  drone: "drone",
  "herding-drone": "drone",
  collar: "herd",
};

/** The sign of a kind of device. */
export function signKind(kind: string): SignKind {
  return MOVES[kind] ?? "device";
}

/** How a sign looks on maps, in legends and in lists. */
export function lookOf(sign: Pick<Sign, "kind" | "heading" | "silent">): Look {
  if (sign.kind === "machine" && sign.heading === null) return "still";
  return sign.kind === "device" && sign.silent ? "silent" : sign.kind;
}

const RING_PX = 17;

/** Every device and herd that has a place, those that move last: they are drawn on top. */
export function signsOf(
  told: PositionsOut,
  fields: readonly FieldOut[],
  farm: { latitude_deg: number; longitude_deg: number } | undefined,
): Sign[] {
  const byId = new Map(fields.map((field) => [field.id, field]));
  const fixed = told.devices.filter((one) => one.latitude_deg === null && !(one.kind in MOVES));
  const together = new Map<number | null, Position[]>();
  for (const one of fixed) together.set(one.field_id, [...(together.get(one.field_id) ?? []), one]);
  const standing = [...together].flatMap(([id, devices]) => {
    const field = id === null ? null : (byId.get(id) ?? null);
    const at = field === null ? yard(farm) : placeWithin(field.geometry);
    return at === null
      ? []
      : devices.map((one, index) => fixedSign(one, at, field, index, devices));
  });
  const moving = told.devices.flatMap((one) => movingSign(one));
  return [...standing, ...told.herds.map(herdSign), ...moving];
}

function fixedSign(
  one: Position,
  at: Place,
  field: FieldOut | null,
  index: number,
  beside: readonly Position[],
): Sign {
  const turn = (2 * Math.PI * index) / beside.length;
  const far = beside.length === 1 ? 0 : RING_PX;
  const shift = [far * Math.sin(turn), -far * Math.cos(turn)] as const;
  return { ...named(one), kind: "device", at, shift, heading: null, field };
}

function movingSign(one: Position): Sign[] {
  if (one.latitude_deg === null || one.longitude_deg === null) return [];
  const at = [one.longitude_deg, one.latitude_deg] as const;
  const kind = signKind(one.kind);
  return [{ ...named(one), kind, at, shift: [0, 0], heading: one.heading_deg, field: null }];
}

function herdSign(herd: Herd): Sign {
  return {
    id: `herd ${herd.device_id}`,
    kind: "herd",
    name: herd.name,
    at: [herd.longitude_deg, herd.latitude_deg],
    shift: [0, 0],
    heading: null,
    silent: false,
    position: null,
    herd,
    field: null,
  };
}

function named(one: Position) {
  return { id: one.device_id, name: one.name, silent: one.silent, position: one, herd: null };
}

function yard(farm: { latitude_deg: number; longitude_deg: number } | undefined): Place | null {
  return farm ? [farm.longitude_deg, farm.latitude_deg] : null;
}
