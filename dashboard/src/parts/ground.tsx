import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { isDark } from "../display";
import { language, t } from "../words";
import { useTiles } from "./field-map";
import { fillImage } from "./fills";
import type { Drawing, GroundMap } from "./ground-map";

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
  const place = useRef<HTMLDivElement>(null);
  const engine = useSignal<GroundMap | null>(null);
  const failed = useSignal(false);
  const chosen = useRef(choose);
  chosen.current = choose;
  const tiles = useTiles();
  const known = tiles.value !== undefined || tiles.failure !== null;
  useEffect(() => {
    if (!known || place.current === null) return;
    const target = place.current;
    let gone = false;
    import("./ground-map")
      .then(({ GroundMap }) => {
        if (gone) return;
        engine.value = new GroundMap(target, tiles.value ?? null, "ground-help", (properties) =>
          chosen.current?.(properties),
        );
      })
      .catch((error: unknown) => {
        failed.value = true;
        reportError(error);
      });
    return () => {
      gone = true;
      engine.value?.remove();
      engine.value = null;
    };
  }, [known]);
  const dark = isDark();
  useEffect(() => {
    engine.value?.show(drawing, dark);
  }, [engine.value, drawing, dark]);
  return (
    <>
      <p class="unseen" id="ground-help">
        {help}
      </p>
      <div class="ground" ref={place} />
      {failed.value && <p class="message">{t("ground.failed")}</p>}
    </>
  );
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
