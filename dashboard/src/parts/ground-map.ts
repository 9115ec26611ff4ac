/** A map on a plain ground: areas with fills, outlines with names, lines, marks. Loaded when shown. */
import type { Feature, FeatureCollection, Geometry, Position } from "geojson";
import {
  type GeoJSONSource,
  LngLatBounds,
  MapLibreMap,
  NavigationControl,
  ScaleControl,
  type StyleSpecification,
  setWorkerUrl,
} from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import worker from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { placeWithin } from "../model/geometry";
import { t } from "../words";
import type { Tiles } from "./field-map";
import { FILLS, SHARP, square } from "./fills";
import { arrow, disc } from "./marks";

setWorkerUrl(worker);

/** What a map shows. Properties of features say how: see the fields. */
export interface Drawing {
  readonly areas: readonly Feature[]; // fill: a name of fills
  readonly outlines: readonly Feature[]; // name
  readonly lines: readonly Feature[]; // colour, width, dashed
  readonly marks: readonly Feature[]; // icon: machine, herd, or dot-…; heading, name
  readonly frame: readonly Geometry[]; // what the map is to show when it is first drawn
  readonly key: string; // of the frame: with another the map moves
}

export const DOTS = ["kept", "left-out"] as const;
const GROUND = { light: "#e7ebe2", dark: "#121a16" };
const INK = { light: "#16201b", dark: "#eef4f0" };
const HALO = { light: "#ffffff", dark: "#0f1512" };

export class GroundMap {
  readonly #map: MapLibreMap;
  #next: { drawing: Drawing; dark: boolean } | null = null;
  #ready = false;
  #framed: string | null = null;
  #dark: boolean | null = null;

  constructor(
    place: HTMLElement,
    tiles: Tiles | null,
    help: string,
    choose: (properties: Record<string, unknown> | null) => void,
  ) {
    this.#map = new MapLibreMap({
      container: place,
      style: style(tiles),
      center: [67, 48],
      zoom: 4,
      maxZoom: 20,
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
    });
    const map = this.#map;
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    map.getCanvas().setAttribute("aria-describedby", help);
    map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    map.addControl(new ScaleControl({ unit: "metric" }), "bottom-left");
    map.on("load", () => {
      this.#ready = true;
      this.#draw();
    });
    map.on("idle", () => {
      if (this.#next !== null) place.closest(".mapbox")?.setAttribute("data-drawn", "");
    });
    map.on("click", (click) => {
      const [hit] = map.queryRenderedFeatures(click.point, { layers: ["marks", "areas"] });
      choose(hit?.properties ?? null);
    });
  }

  show(drawing: Drawing, dark: boolean): void {
    this.#next = { drawing, dark };
    this.#map.getContainer().closest(".mapbox")?.removeAttribute("data-drawn");
    if (this.#ready) this.#draw();
  }

  remove(): void {
    this.#map.remove();
  }

  #draw(): void {
    if (this.#next === null) return;
    const { drawing, dark } = this.#next;
    if (dark !== this.#dark) this.#colour(dark);
    for (const name of ["areas", "outlines", "lines", "marks"] as const) {
      this.#map.getSource<GeoJSONSource>(name)?.setData({
        type: "FeatureCollection",
        features: [...drawing[name]],
      });
    }
    this.#map.getSource<GeoJSONSource>("names")?.setData({
      type: "FeatureCollection",
      features: drawing.outlines.flatMap(label),
    });
    if (drawing.key === this.#framed) return;
    const bounds = boundsOf(drawing.frame);
    if (bounds === null) return;
    this.#framed = drawing.key;
    this.#map.fitBounds(bounds, { padding: 36, maxZoom: 16, animate: false });
  }

  #colour(dark: boolean): void {
    this.#dark = dark;
    const map = this.#map;
    const of = (pair: { light: string; dark: string }) => (dark ? pair.dark : pair.light);
    for (const name of FILLS) put(map, name, square(name, dark));
    put(map, "machine", arrow(dark));
    put(map, "herd", disc("herd", dark));
    for (const name of DOTS) put(map, `dot-${name}`, disc(name, dark));
    map.setPaintProperty("ground", "background-color", of(GROUND));
    map.setPaintProperty("outlines", "line-color", of(INK));
    for (const layer of ["names", "marks"]) {
      map.setPaintProperty(layer, "text-color", of(INK));
      map.setPaintProperty(layer, "text-halo-color", of(HALO));
    }
  }
}

function style(tiles: Tiles | null): StyleSpecification {
  const nothing: FeatureCollection = { type: "FeatureCollection", features: [] };
  const empty = { type: "geojson", data: nothing, tolerance: 0.1 } as const;
  const label = { "text-field": ["coalesce", ["get", "name"], ""], "text-size": 13 } as const;
  const line = {
    type: "line",
    source: "lines",
    layout: { "line-cap": "butt", "line-join": "round" },
  } as const;
  const look = { "line-color": ["get", "colour"], "line-width": ["get", "width"] } as const;
  const shown = tiles?.tile_url
    ? {
        source: {
          tiles: {
            type: "raster",
            tiles: [tiles.tile_url],
            tileSize: 256,
            attribution: tiles.tile_attribution.replace(
              /[&<>"]/g,
              (sign) => `&#${sign.charCodeAt(0)};`,
            ),
          },
        },
        layer: [{ id: "tiles", type: "raster", source: "tiles" }],
      }
    : { source: {}, layer: [] };
  return {
    version: 8,
    sources: {
      ...shown.source,
      areas: empty,
      outlines: empty,
      names: empty,
      lines: empty,
      marks: empty,
    },
    layers: [
      { id: "ground", type: "background", paint: {} },
      ...shown.layer,
      {
        id: "areas",
        type: "fill",
        source: "areas",
        paint: { "fill-pattern": ["get", "fill"] },
      },
      { id: "outlines", type: "line", source: "outlines", paint: { "line-width": 1.5 } },
      {
        ...line,
        id: "dashed",
        filter: ["get", "dashed"],
        paint: { ...look, "line-dasharray": [2, 2] },
      },
      { ...line, id: "lines", filter: ["!", ["get", "dashed"]], paint: look },
      {
        id: "names",
        type: "symbol",
        source: "names",
        layout: label,
        paint: { "text-halo-width": 2 },
      },
      {
        id: "marks",
        type: "symbol",
        source: "marks",
        layout: {
          ...label,
          "icon-image": ["get", "icon"],
          "icon-rotate": ["coalesce", ["get", "heading"], 0],
          "icon-rotation-alignment": "map",
          "icon-allow-overlap": true,
          "text-offset": [0, 1.5],
          "text-optional": true,
        },
        paint: { "text-halo-width": 2 },
      },
    ],
  } as StyleSpecification;
}

/** A name once, where there is room for it: at an outline it stands in each tile of the map. */
function label(outline: Feature): Feature[] {
  const at = placeWithin(outline.geometry as { type: unknown });
  if (at === null || !outline.properties?.name) return [];
  return [
    {
      type: "Feature",
      geometry: { type: "Point", coordinates: [...at] },
      properties: { name: outline.properties.name },
    },
  ];
}

/** The least rectangle around geometries. */
export function boundsOf(geometries: readonly Geometry[]): LngLatBounds | null {
  const bounds = new LngLatBounds();
  const extend = (part: Position | unknown): void => {
    if (!Array.isArray(part)) return;
    if (typeof part[0] === "number") bounds.extend(part as [number, number]);
    else part.forEach(extend);
  };
  for (const one of geometries) if ("coordinates" in one) extend(one.coordinates);
  return bounds.isEmpty() ? null : bounds;
}

function put(map: MapLibreMap, name: string, canvas: HTMLCanvasElement): void {
  const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height);
  if (!data) return;
  if (map.hasImage(name)) map.updateImage(name, data);
  else map.addImage(name, data, { pixelRatio: SHARP });
}
