/** What every map of this page is made of: the engine set up alike, its ground, pictures, bounds. */
import type { Geometry } from "geojson";
import {
  type LayerSpecification,
  LngLatBounds,
  MapLibreMap,
  type MapOptions,
  NavigationControl,
  prewarm,
  ScaleControl,
  type SourceSpecification,
  type StyleSpecification,
  setWorkerUrl,
} from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import worker from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { t } from "../words";
import { SHARP } from "./canvas";
import type { Tiles } from "./map-place";

setWorkerUrl(worker);
prewarm(); // the worker is big, too: it comes while fields are on their way

const KAZAKHSTAN: [number, number] = [67, 48]; // until there is anything to show
const GROUND = { light: "#e7ebe2", dark: "#121a16" };
const INK = { light: "#16201b", dark: "#eef4f0" };
const HALO = { light: "#ffffff", dark: "#0f1512" };

/** What lies on the ground. */
export interface Content {
  readonly sources: Record<string, SourceSpecification>;
  readonly layers: readonly LayerSpecification[];
}

/** A map that lies flat, north up, in the language spoken; on an operator's tiles, if there are any. */
export function makeMap(
  place: HTMLElement,
  tiles: Tiles | null,
  content: Content,
  help: string, // the id of what a listener is told of it
  options: Partial<MapOptions>,
): MapLibreMap {
  const map = new MapLibreMap({
    container: place,
    center: KAZAKHSTAN,
    zoom: 4,
    style: onGround(tiles, content),
    attributionControl: tiles?.tile_url ? { compact: false } : false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    fadeDuration: 0,
    locale: {
      "Map.Title": t("map.title"),
      "ScaleControl.Meters": t("unit.m"),
      "ScaleControl.Kilometers": t("unit.km"),
      "NavigationControl.ZoomIn": t("map.zoom_in"),
      "NavigationControl.ZoomOut": t("map.zoom_out"),
    },
    ...options,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.getCanvas().setAttribute("aria-describedby", help);
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ unit: "metric" }), "bottom-left");
  onPaper(map);
  return map;
}

/** What a graphics card has drawn is on no paper: a picture of it is put beside the map while it is printed. */
function onPaper(map: MapLibreMap): void {
  let picture: HTMLCanvasElement | null = null;
  const before = () => {
    map.redraw();
    const drawn = map.getCanvas();
    picture = document.createElement("canvas");
    picture.className = "printed";
    [picture.width, picture.height] = [drawn.width, drawn.height];
    picture.getContext("2d")?.drawImage(drawn, 0, 0);
    map.getContainer().after(picture);
  };
  const after = () => picture?.remove();
  addEventListener("beforeprint", before);
  addEventListener("afterprint", after);
  map.on("remove", () => {
    removeEventListener("beforeprint", before);
    removeEventListener("afterprint", after);
    after();
  });
}

function onGround(tiles: Tiles | null, { sources, layers }: Content): StyleSpecification {
  const ground: LayerSpecification = { id: "ground", type: "background", paint: {} };
  if (!tiles?.tile_url) return { version: 8, sources, layers: [ground, ...layers] };
  const shown: SourceSpecification = {
    type: "raster",
    tiles: [tiles.tile_url],
    tileSize: 256,
    attribution: escaped(tiles.tile_attribution),
  };
  return {
    version: 8,
    sources: { tiles: shown, ...sources },
    layers: [ground, { id: "tiles", type: "raster", source: "tiles" }, ...layers],
  };
}

/** Give the ground, lines and names the colours of a theme. */
export function colour(
  map: MapLibreMap,
  dark: boolean,
  of: { lines: readonly string[]; names: readonly string[] },
): void {
  const theme = dark ? "dark" : "light";
  map.setPaintProperty("ground", "background-color", GROUND[theme]);
  for (const layer of of.lines) map.setPaintProperty(layer, "line-color", INK[theme]);
  for (const layer of of.names) {
    map.setPaintProperty(layer, "text-color", INK[theme]);
    map.setPaintProperty(layer, "text-halo-color", HALO[theme]);
  }
}

/** Have a map know a picture by a name, in the place of one that it knew by that. */
export function put(map: MapLibreMap, name: string, canvas: HTMLCanvasElement): void {
  const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height);
  if (!data) return;
  if (map.hasImage(name)) map.updateImage(name, data);
  else map.addImage(name, data, { pixelRatio: SHARP });
}

/** The least rectangle around geometries; null around none. */
export function boundsOf(geometries: readonly Geometry[]): LngLatBounds | null {
  const bounds = new LngLatBounds();
  const extend = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    if (typeof part[0] === "number") bounds.extend(part as [number, number]);
    else part.forEach(extend);
  };
  for (const one of geometries) if ("coordinates" in one) extend(one.coordinates);
  return bounds.isEmpty() ? null : bounds;
}

/** MapLibre takes an attribution for HTML; ours is text. */
function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
