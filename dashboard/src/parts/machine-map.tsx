import type { Feature, Geometry } from "geojson";
import { useMemo } from "preact/hooks";
import type { FieldOut, MachineDayOut, PastureOut, TrackOut, WorkMapOut } from "../api/schema";
import { isDark } from "../display";
import { number, withUnit } from "../format";
import { PRESSURE, pressureClass } from "../model/machine-days";
import { LOOKS, lookOf, signKind } from "../model/signs";
import { bySpeed, byState, SPEED_KM_H, WORK } from "../model/tracks";
import { t } from "../words";
import { ground } from "./figures";
import { rampFill } from "./fills";
import { FillLegend, Ground } from "./ground";
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

type Kind = WorkMapOut["features"][number]["properties"]["kind"];
const ORDER: readonly Kind[] = ["seen", "once", "more", "gap"]; // the later on top

/** What machines covered, where they drove and flew, where herds were. */
export function MachineMap({ shown }: { shown: Shown }) {
  const dark = isDark();
  const drawing = useMemo(() => drawn(shown, dark), [shown, dark]);
  const kinds = new Set(
    shown.maps.flatMap((map) => map.features.map((one) => one.properties.kind)),
  );
  const grazed = shown.pastures.some((one) => one.animal_days_ha > 0);
  return (
    <section class="stack" aria-label={t("machines.map")}>
      <Ground drawing={drawing} help={t("machines.map_help")} />
      <div class="card stack">
        {!shown.bySpeed && [...kinds].some((kind) => kind !== "flight") && (
          <FillLegend
            title={t("machines.legend")}
            entries={ORDER.filter((kind) => kinds.has(kind)).map(
              (kind) => [kind, words(kind)] as const,
            )}
          />
        )}
        <Covered maps={shown.maps} />
        {grazed && <PressureLegend />}
        <Lines shown={shown} flights={kinds.has("flight")} />
      </div>
    </section>
  );
}

/** How much ground is of each colour. */
function Covered({ maps }: { maps: readonly WorkMapOut[] }) {
  const sum = (kind: Kind) =>
    maps
      .flatMap((map) => map.features)
      .filter((one) => one.properties.kind === kind)
      .reduce((total, one) => total + (one.properties.area_ha ?? 0), 0);
  const [once, more, gap] = [sum("once"), sum("more"), sum("gap")];
  if (once + more === 0) return null;
  return (
    <p class="small">
      {t("machines.covered", { once: ground(once), more: ground(more), gap: ground(gap) })}
    </p>
  );
}

function words(kind: Kind): string {
  switch (kind) {
    case "once":
      return t("machines.once");
    case "more":
      return t("machines.more");
    case "gap":
      return t("machines.gap");
    case "seen":
      return t("machines.seen");
    case "flight":
      return t("machines.line_flight");
  }
}

export function pressureFill(perHa: number): string | null {
  const place = pressureClass(perHa);
  return place === null ? null : rampFill(place, PRESSURE.length + 1);
}

function PressureLegend() {
  const bounds = [0, ...PRESSURE];
  return (
    <FillLegend
      title={t("machines.pressure_legend")}
      entries={bounds.map((low, place) => [
        rampFill(place, bounds.length),
        between(low === 0 ? null : String(low), PRESSURE[place]?.toString() ?? null),
      ])}
    />
  );
}

/** A class of a legend in words. */
export function between(low: string | null, high: string | null): string {
  if (low === null) return t("machines.speed_below", { high: high ?? "" });
  return high === null
    ? t("machines.speed_above", { low })
    : t("machines.speed_between", { low, high });
}

const LINE = { light: "#5a2580", dark: "#e0bdf7" };
const FLIGHT = { light: "#0a58ca", dark: "#8ab8ff" };
const SPEEDS = {
  light: ["#2a2a8c", "#1f6f9c", "#2a8c5a", "#b06a00", "#b3261e"],
  dark: ["#a9a9ff", "#6fc3f0", "#7ddba9", "#ffbe5c", "#ff9d90"],
};

/** A line of a legend, as it is on the map. */
function Sample(props: { colour: string; width: number; dashed?: boolean; children: string }) {
  return (
    <li>
      <svg width="30" height="12" aria-hidden="true">
        <line
          x1="0"
          x2="30"
          y1="6"
          y2="6"
          stroke={props.colour}
          stroke-width={props.width}
          stroke-dasharray={props.dashed ? "4 3" : undefined}
        />
      </svg>
      {props.children}
    </li>
  );
}

function Lines({ shown, flights }: { shown: Shown; flights: boolean }) {
  const theme = isDark() ? "dark" : "light";
  const bounds = SPEED_KM_H.map((one) => withUnit(number(one), t("unit.km_h")));
  const short = SPEED_KM_H.map((one) => number(one));
  const herd = shown.days.some((one) => one.herd);
  const looks = shown.tracks.flatMap((one) => markOf(one)?.look ?? []);
  return (
    <section class="stack" aria-label={t("machines.lines")}>
      <h3>{t("machines.lines")}</h3>
      <ul class="legend">
        {shown.bySpeed
          ? SPEEDS[theme].map((colour, place) => (
              <Sample key={colour} colour={colour} width={speedWidth(place)}>
                {between(
                  place === 0
                    ? null
                    : place === bounds.length
                      ? (bounds[place - 1] ?? "")
                      : (short[place - 1] ?? ""),
                  bounds[place] ?? null,
                )}
              </Sample>
            ))
          : shown.tracks.some(isDriven) && (
              <>
                <Sample colour={LINE[theme]} width={1}>
                  {t("machines.line_work")}
                </Sample>
                <Sample colour={LINE[theme]} width={1.5} dashed>
                  {t("machines.line_drive")}
                </Sample>
              </>
            )}
        {flights && (
          <Sample colour={FLIGHT[theme]} width={3}>
            {t("machines.line_flight")}
          </Sample>
        )}
        {looks.length > 0 && (
          <li>
            {LOOKS.filter((look) => looks.includes(look)).map((look) => (
              <span key={look} class={`sign ${look}`} aria-hidden="true" />
            ))}
            {t("machines.last_place")}
          </li>
        )}
        {herd && (
          <li>
            <span class="sign herd" aria-hidden="true" />
            {t("machines.herd")}
          </li>
        )}
      </ul>
    </section>
  );
}

/** The faster the wider: colour is not alone. */
function speedWidth(place: number): number {
  return 1.5 + place;
}

function drawn(shown: Shown, dark: boolean): Drawing {
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
  const covered = ORDER.flatMap((kind) =>
    parts
      .filter((one) => one.properties.kind === kind)
      .map((one) => feature(one.geometry as unknown as Geometry, { fill: kind })),
  );
  const flown = parts
    .filter((one) => one.properties.kind === "flight")
    .map((one) =>
      feature(one.geometry as unknown as Geometry, {
        colour: FLIGHT[theme],
        width: 3,
        dashed: false,
      }),
    );
  const worked = [...new Set(shown.days.flatMap((one) => one.fields.map((of) => of.field_id)))];
  const touched = [
    ...worked.flatMap((one) => byId.get(one ?? 0) ?? []),
    ...shown.days.flatMap((one) => one.grazed.flatMap((of) => byId.get(of.field_id) ?? [])),
  ];
  const chosen = shown.field === null ? undefined : byId.get(shown.field);
  const places = [
    ...parts.map((one) => one.geometry as unknown as Geometry),
    ...touched,
    ...pastures.map((one) => one.geometry),
  ];
  return {
    areas: [...pastures, ...(shown.bySpeed ? [] : covered)],
    outlines,
    lines: [
      ...shown.tracks.filter(isDriven).flatMap((one) => lines(one, shown.bySpeed, theme)),
      ...flown,
    ],
    marks: [...shown.tracks.flatMap(lastPlace), ...shown.days.flatMap(herdPlace)],
    frame: chosen ? [chosen] : places.length > 0 ? places : outlines.map((one) => one.geometry),
    key: `${shown.key} ${outlines.length > 0} ${places.length > 0}`,
  };
}

/** Whether a track is of a machine on the ground: a flight is drawn as one. */
function isDriven(track: TrackOut): boolean {
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
function markOf(track: TrackOut) {
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

function feature(geometry: Geometry, properties: Record<string, unknown>): Feature {
  return { type: "Feature", geometry, properties };
}
