import { useEffect, useRef } from "preact/hooks";
import { isDark } from "../display";
import type { Sign } from "../model/signs";
import type { FieldRow } from "../model/water";
import { language, t } from "../words";
import type { Hit } from "./map-engine";
import { MapPlace, useMap } from "./map-place";

interface Props {
  rows: readonly FieldRow[];
  signs: readonly Sign[];
  chosen: number | null;
  choose: (hit: Hit) => void;
  drawn: () => void; // what is shown stands there
}

/** Load the engine, which is big; once is enough. */
export function prepareMap(): Promise<typeof import("./map-engine")> {
  return import("./map-engine");
}

/** The map; its engine is loaded when the first map is shown, and made anew for another language. */
export function FieldMap(props: Props) {
  return <Ground key={language.value} {...props} />;
}

function Ground(props: Props) {
  const latest = useRef(props);
  latest.current = props;
  const map = useMap(async () => {
    const { FieldMapEngine } = await prepareMap();
    return (place, tiles) => {
      const { rows, signs, chosen } = latest.current;
      const shown = { rows, signs, chosen, dark: isDark() };
      return new FieldMapEngine(place, tiles, shown, {
        choose: (hit) => latest.current.choose(hit),
        drawn: () => latest.current.drawn(),
      });
    };
  });

  const dark = isDark();
  useEffect(() => {
    map.engine.value?.show({
      rows: props.rows,
      signs: props.signs,
      chosen: props.chosen,
      dark,
    });
  }, [map.engine.value, props.rows, props.signs, props.chosen, dark]);

  return <MapPlace of={map} id="map-help" help={t("map.help")} failure={t("map.failed")} />;
}
