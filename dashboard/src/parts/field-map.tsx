import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Failure } from "../api/client";
import { type Resource, useResource } from "../api/resource";
import { isDark } from "../display";
import type { Sign } from "../model/signs";
import type { FieldRow } from "../model/water";
import { language, t } from "../words";
import type { FieldMapEngine, Hit } from "./map-engine";

interface Props {
  rows: readonly FieldRow[];
  signs: readonly Sign[];
  chosen: number | null;
  choose: (hit: Hit) => void;
}

export interface Tiles {
  tile_url: string | null;
  tile_attribution: string;
}

/** Load the engine, which is big; once is enough. */
export function prepareMap(): Promise<typeof import("./map-engine")> {
  return import("./map-engine");
}

/** The tiles that an operator chose, if any. */
export function useTiles(): Resource<Tiles> {
  return useResource("page.json", tilesOfService);
}

/** The map; its engine is loaded when the first map is shown, and made anew for another language. */
export function FieldMap(props: Props) {
  return <Ground key={language.value} {...props} />;
}

function Ground(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const engine = useSignal<FieldMapEngine | null>(null);
  const failed = useSignal(false);
  const latest = useRef(props);
  latest.current = props;
  const tiles = useTiles();
  const known = tiles.value !== undefined || tiles.failure !== null;

  useEffect(() => {
    if (!known || place.current === null) return;
    const target = place.current;
    let gone = false;
    prepareMap()
      .then(({ FieldMapEngine }) => {
        if (gone) return;
        const { rows, signs, chosen } = latest.current;
        const shown = { rows, signs, chosen, dark: isDark() };
        engine.value = new FieldMapEngine(target, tiles.value ?? null, shown, (hit) =>
          latest.current.choose(hit),
        );
      })
      .catch((error: unknown) => {
        failed.value = true;
        reportError(error); // what is said is a guess; the console has the cause
      });
    return () => {
      gone = true;
      engine.value?.remove();
      engine.value = null;
    };
  }, [known]);

  const dark = isDark();
  useEffect(() => {
    engine.value?.show({
      rows: props.rows,
      signs: props.signs,
      chosen: props.chosen,
      dark,
    });
  }, [engine.value, props.rows, props.signs, props.chosen, dark]);

  return (
    <>
      <p class="unseen" id="map-help">
        {t("map.help")}
      </p>
      <div class="ground" ref={place} />
      {failed.value && <p class="message">{t("map.failed")}</p>}
    </>
  );
}

async function tilesOfService(): Promise<Tiles> {
  const said = await fetch("/page.json").catch(() => {
    throw new Failure("unreachable", 0, null);
  });
  return said.ok ? ((await said.json()) as Tiles) : { tile_url: null, tile_attribution: "" };
}
