import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { isDark } from "../display";
import { day as dayText, moment } from "../format";
import { language, t } from "../words";

export interface Series {
  readonly label: string;
  readonly kind: "line" | "dashed" | "dotted" | "points" | "bars" | "area";
  readonly colour: string; // a custom property of the page: --rain
  readonly values: readonly (number | null)[];
  readonly joined?: boolean; // the line goes on over times that only others have
}

export interface ChartProps {
  readonly id: string;
  readonly title: string;
  readonly help?: string;
  readonly summary: string; // what the picture shows, for who does not see it
  readonly unit: string;
  readonly days: readonly string[]; // ISO
  readonly moments?: readonly number[]; // ms since 1970, in the place of days
  readonly low?: number; // where the scale begins; 0 by default
  readonly series: readonly Series[];
  readonly say: (value: number | null) => string;
  readonly downwards?: boolean; // zero at the top
  readonly height?: number;
  readonly mark?: string | null; // a day to be marked
}

/** A chart over the days of a season, or over moments. Its figures are in the table below it, for everybody. */
export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const reading = useSignal<number | null>(null);
  const failed = useSignal(false);
  const dark = isDark();
  const spoken = language.value;

  useEffect(() => {
    if (place.current === null) return;
    const target = place.current;
    let stop = () => {};
    let gone = false;
    import("./plot")
      .then(({ plot }) => {
        if (!gone)
          stop = plot(target, props, (index) => {
            reading.value = index;
          });
      })
      .catch((error: unknown) => {
        failed.value = true;
        reportError(error);
      });
    return () => {
      gone = true;
      stop();
    };
  }, [props.days, props.moments, props.series, props.unit, props.mark, dark, spoken]);

  const at = reading.value;
  return (
    <figure class="card chart" aria-labelledby={props.id}>
      <figcaption class="stack">
        <h2 id={props.id}>
          {props.title}, <span class="quiet">{props.unit}</span>
        </h2>
        {props.help && <p class="small quiet">{props.help}</p>}
        <ul class="legend">
          {props.series.map((one) => (
            <li key={one.label}>
              <Key of={one} />
              {one.label}
            </li>
          ))}
        </ul>
      </figcaption>
      <div class="plot" ref={place} role="img" aria-label={props.summary} />
      {failed.value && <p class="message">{t("field.chart_failed")}</p>}
      <p class="reading quiet" aria-hidden="true">
        {at !== null && (
          <>
            <strong>{when(props, at)}</strong>
            {props.series.flatMap((one) => {
              const value = one.values[at] ?? null;
              return value === null ? [] : [` · ${one.label} ${props.say(value)}`];
            })}
          </>
        )}
      </p>
    </figure>
  );
}

function when({ days, moments }: ChartProps, at: number): string {
  const time = moments?.[at];
  return time === undefined ? dayText(days[at]) : moment(time);
}

function Key({ of }: { of: Series }) {
  const kinds = {
    line: "",
    area: "",
    dashed: "dashed",
    dotted: "dotted",
    points: "points",
    bars: "block",
  };
  const colour = `var(${of.colour})`;
  const style = of.kind === "bars" ? { background: colour } : { borderColor: colour };
  return <span class={`key ${kinds[of.kind]}`} style={style} aria-hidden="true" />;
}
