import { useMemo } from "preact/hooks";
import type { WorkMapOut } from "../api/schema";
import { isDark } from "../display";
import { number, withUnit } from "../format";
import { PRESSURE } from "../model/machine-days";
import { LOOKS } from "../model/signs";
import { SPEED_KM_H } from "../model/tracks";
import { language, t } from "../words";
import { ground } from "./figures";
import { rampFill } from "./fills";
import { FillLegend, Ground } from "./ground";
import {
  drawingOf,
  FLIGHT,
  isDriven,
  type Kind,
  LINE,
  markOf,
  ORDER,
  type Shown,
  SPEEDS,
  speedWidth,
} from "./machine-drawing";

/** What machines covered, where they drove and flew, where herds were. */
export function MachineMap({ shown }: { shown: Shown }) {
  const dark = isDark();
  const drawing = useMemo(() => drawingOf(shown, dark), [shown, dark, language.value]);
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
function between(low: string | null, high: string | null): string {
  if (low === null) return t("machines.speed_below", { high: high ?? "" });
  return high === null
    ? t("machines.speed_above", { low })
    : t("machines.speed_between", { low, high });
}

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
