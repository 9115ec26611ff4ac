/** What the map of machines draws: ground, tracks and signs, as features that say how. */
import type { Feature, Geometry } from "geojson";
import type { FieldOut, MachineDayOut, PastureOut, TrackOut, WorkMapOut } from "../api/schema";
import { number } from "../format";
import { feature } from "../model/geometry";
import { PRESSURE, pressureClass } from "../model/machine-days";
import { lookOf, signKind } from "../model/signs";
import { bySpeed, byState, WORK } from "../model/tracks";
import { rampFill } from "./fills";
import type { Drawing } from "./ground-map";

export interface Shown {
  readonly fields: readonly FieldOut[];
  readonly days: readonly MachineDayOut[];
  readonly maps: readonly WorkMapOut[];
  readonly tracks: readonly TrackOut[];
  readonly pastures: readonly PastureOut[];
  readonly field: number | null;
  readonly bySpeed: boolean;
  readonly key: string; // of what is chosen: with another the map moves
}

export type Kind = WorkMapOut["features"][number]["properties"]["kind"];
export const ORDER: readonly Kind[] = ["seen", "once", "more", "gap"]; // the later on top

export const LINE = { light: "#5a2580", dark: "#e0bdf7" };
export const FLIGHT = { light: "#0a58ca", dark: "#8ab8ff" };
export const SPEEDS = {
  light: ["#2a2a8c", "#1f6f9c", "#2a8c5a", "#b06a00", "#b3261e"],
  dark: ["#a9a9ff", "#6fc3f0", "#7ddba9", "#ffbe5c", "#ff9d90"],
};

/** The faster the wider: colour is not alone. */
export function speedWidth(place: number): number {
  return 1.5 + place;
}

export function pressureFill(perHa: number): string | null {
  const place = pressureClass(perHa);
  return place === null ? null : rampFill(place, PRESSURE.length + 1);
}

export function drawingOf(shown: Shown, dark: boolean): Drawing {
  const theme = dark ? "dark" : "light";
  const outlines = shown.fields.flatMap((field) => {
    const geometry = field.geometry as unknown as Geometry | null;
    return geometry === null ? [] : [feature(geometry, { name: field.name, id: field.id })];
  });
  const byId = new Map(outlines.map((one) => [one.properties?.id as number, one.geometry]));
  const pastures = shown.pastures.flatMap((one) => {
    const [place, fill] = [byId.get(one.field_id), pressureFill(one.animal_days_ha)];
    return place && fill ? [feature(place, { fill })] : [];
  });
  const parts = shown.maps.flatMap((map) => map.features);
  const of = (kind: Kind, look: Record<string, unknown>) =>
    parts
      .filter((one) => one.properties.kind === kind)
      .map((one) => feature(one.geometry as unknown as Geometry, look));
  const covered = ORDER.flatMap((kind) => of(kind, { fill: kind }));
  const flown = of("flight", { colour: FLIGHT[theme], width: 3, dashed: false });
  const driven = shown.tracks.filter(isDriven).flatMap((one) => lines(one, shown.bySpeed, theme));
  const chosen = shown.field === null ? undefined : byId.get(shown.field);
  const places = [...covered, ...flown, ...pastures].map((one) => one.geometry);
  places.push(...touched(shown.days).flatMap((field) => byId.get(field) ?? []));
  return {
    areas: [...pastures, ...(shown.bySpeed ? [] : covered)],
    outlines,
    lines: [...driven, ...flown],
    marks: [...shown.tracks.flatMap(lastPlace), ...shown.days.flatMap(herdPlace)],
    frame: chosen ? [chosen] : places.length > 0 ? places : outlines.map((one) => one.geometry),
    key: `${shown.key} ${outlines.length > 0} ${places.length > 0}`,
  };
}

/** Fields on which machines worked or herds grazed. */
function touched(days: readonly MachineDayOut[]): number[] {
  const found = days.flatMap((one) => [...one.fields, ...one.grazed].map((of) => of.field_id));
  return [...new Set(found)].filter((field) => field !== null);
}

/** Whether a track is of a machine on the ground: a flight is drawn as one. */
export function isDriven(track: TrackOut): boolean {
  return track.points.length > 0 && !track.kind.includes("drone");
}

function lines(track: TrackOut, speeds: boolean, theme: "light" | "dark"): Feature[] {
  const found = speeds ? bySpeed(track.points) : byState(track.points);
  return found.map(({ kind, coordinates }) =>
    feature(
      { type: "LineString", coordinates },
      speeds
        ? { colour: SPEEDS[theme][kind] ?? LINE[theme], width: speedWidth(kind), dashed: false }
        : kind === WORK
          ? { colour: LINE[theme], width: 1, afar: 0.2, dashed: false }
          : { colour: LINE[theme], width: 1.5, dashed: true },
    ),
  );
}

/** Where a track ends, and the sign that stands there. */
export function markOf(track: TrackOut) {
  const last = track.points.at(-1);
  if (last === undefined) return null;
  const kind = signKind(track.kind);
  return { last, look: lookOf({ kind, heading: last.heading_deg, silent: false }) };
}

function lastPlace(track: TrackOut): Feature[] {
  const mark = markOf(track);
  if (mark === null) return [];
  const { longitude_deg, latitude_deg, heading_deg } = mark.last;
  return [
    feature(
      { type: "Point", coordinates: [longitude_deg, latitude_deg] },
      { icon: `sign-${mark.look}`, heading: heading_deg ?? 0, name: "" },
    ),
  ];
}

function herdPlace(day: MachineDayOut): Feature[] {
  if (day.herd === null) return [];
  const { longitude_deg, latitude_deg, animals } = day.herd;
  return [
    feature(
      { type: "Point", coordinates: [longitude_deg, latitude_deg] },
      { icon: "sign-herd", name: number(animals) },
    ),
  ];
}
