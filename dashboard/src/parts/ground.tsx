import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { isDark } from "../display";
import { language, t } from "../words";
import { fillImage } from "./fills";
import type { Drawing } from "./ground-map";
import { MapPlace, useMap } from "./map-place";

const HELP = "ground-help";

interface Props {
  readonly drawing: Drawing;
  readonly help: string; // what a listener is told of the picture
  readonly choose?: (properties: Record<string, unknown> | null) => void;
  readonly children?: ComponentChildren; // a card on the map
}

/** A map of anything but the water of fields; what it shows stands in a table beside it. */
export function Ground(props: Props) {
  return (
    <div class="card mapbox">
      <Place key={language.value} {...props} />
      {props.children}
    </div>
  );
}

function Place({ drawing, help, choose }: Props) {
  const chosen = useRef(choose);
  chosen.current = choose;
  const map = useMap(async () => {
    const { GroundMap } = await import("./ground-map");
    return (place, tiles) =>
      new GroundMap(place, tiles, HELP, (properties) => chosen.current?.(properties));
  });
  const dark = isDark();
  useEffect(() => {
    map.engine.value?.show(drawing, dark);
  }, [map.engine.value, drawing, dark]);
  return <MapPlace of={map} id={HELP} help={help} failure={t("ground.failed")} />;
}

/** What the fills of a map mean. */
export function FillLegend({
  title,
  entries,
  children,
}: {
  title: string;
  entries: readonly (readonly [fill: string, words: string])[];
  children?: ComponentChildren;
}) {
  return (
    <section class="stack" aria-label={title}>
      <h3>{title}</h3>
      <ul class="legend">
        {entries.map(([fill, words]) => (
          <li key={fill}>
            <Swatch fill={fill} />
            {words}
          </li>
        ))}
        {children}
      </ul>
    </section>
  );
}

export function Swatch({ fill }: { fill: string }) {
  return <span class="swatch" style={{ backgroundImage: fillImage(fill) }} aria-hidden="true" />;
}
