/** MapLibre as this page uses it: fields by status, tracks and machines. A file of its own: it is big. */
import type { Feature, FeatureCollection, Geometry } from "geojson";
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
import type { TrackOut } from "../api/schema";
import { type FieldRow, STATUSES } from "../model/water";
import { t } from "../words";
import type { Tiles } from "./field-map";
import { PIXEL_RATIO, paint } from "./patterns";

setWorkerUrl(worker);

const MANY = 300; // fields whose names would cover them from afar
const GROUND = { light: "#e7ebe2", dark: "#121a16" };
const INK = { light: "#16201b", dark: "#eef4f0" };
const HALO = { light: "#ffffff", dark: "#0f1512" };
const TRACK = { light: "#7a3ea1", dark: "#d3a6f2" };

interface Shown {
  rows: readonly FieldRow[];
  tracks: readonly TrackOut[];
  chosen: number | null;
  dark: boolean;
}

export class FieldMapEngine {
  readonly #map: MapLibreMap;
  #next: Shown | null = null;
  #ready = false;
  #framed = "";
  #dark: boolean | null = null;

  constructor(place: HTMLElement, tiles: Tiles | null, choose: (field: number | null) => void) {
    this.#map = new MapLibreMap({
      container: place,
      style: style(tiles),
      center: [67, 48], // Kazakhstan, until there are fields
      zoom: 4,
      maxZoom: 19,
      attributionControl: tiles?.tile_url ? { compact: false } : false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      cooperativeGestures: false,
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
    map.getCanvas().setAttribute("aria-describedby", "map-help");
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
      const [hit] = map.queryRenderedFeatures(click.point, { layers: ["field-fill"] });
      choose(typeof hit?.id === "number" ? hit.id : null);
    });
    map.on("mouseenter", "field-fill", () => {
      map.getCanvas().style.cursor = "pointer";
    });
    map.on("mouseleave", "field-fill", () => {
      map.getCanvas().style.cursor = "";
    });
  }

  /** Show fields and tracks; the map moves to the fields where these are others than before. */
  show(
    rows: readonly FieldRow[],
    tracks: readonly TrackOut[],
    chosen: number | null,
    dark: boolean,
  ): void {
    this.#next = { rows, tracks, chosen, dark };
    this.#map.getContainer().closest(".mapbox")?.removeAttribute("data-drawn");
    if (this.#ready) this.#draw();
  }

  remove(): void {
    this.#map.remove();
  }

  #draw(): void {
    if (this.#next === null) return;
    const { rows, tracks, chosen, dark } = this.#next;
    if (dark !== this.#dark) this.#colour(dark);
    this.#source("fields", rows.flatMap(asFeature));
    this.#source("tracks", tracks.flatMap(asLine));
    this.#source("machines", tracks.flatMap(asMachine));
    this.#map.setFilter("field-chosen", ["==", ["id"], chosen ?? -1]);
    requestAnimationFrame(() => this.#clear(rows.find((row) => row.field.id === chosen)));
    this.#map.setLayerZoomRange("field-name", rows.length > MANY ? 12 : 0, 24);
    const ids = rows.map((row) => row.field.id).join();
    if (ids !== this.#framed) {
      this.#framed = ids;
      const bounds = boundsOf(rows);
      if (bounds) this.#map.fitBounds(bounds, { padding: 48, maxZoom: 15, animate: false });
    }
  }

  /** Move the map where the card of the chosen field lies on the field. */
  #clear(chosen: FieldRow | undefined): void {
    const place = this.#map.getContainer();
    const card = place.parentElement?.querySelector(".onmap")?.getBoundingClientRect();
    const bounds = chosen && boundsOf([chosen]);
    if (!card || !bounds) return;
    const ground = place.getBoundingClientRect();
    const at = this.#map.project(bounds.getCenter());
    const below = this.#map.project([bounds.getCenter().lng, bounds.getSouth()]);
    const [x, y] = [at.x + ground.left, below.y + ground.top];
    if (
      x < card.left - 20 ||
      x > card.right + 20 ||
      y < card.top ||
      at.y + ground.top > card.bottom
    )
      return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#map.panBy([0, y - card.top + 24], { animate: !calm });
  }

  #source(name: string, features: Feature[]): void {
    this.#map.getSource<GeoJSONSource>(name)?.setData({ type: "FeatureCollection", features });
  }

  #colour(dark: boolean): void {
    this.#dark = dark;
    const map = this.#map;
    const of = (pair: { light: string; dark: string }) => (dark ? pair.dark : pair.light);
    for (const status of STATUSES) put(map, `water-${status}`, paint(status, dark));
    put(map, "machine", arrow(of(TRACK), of(HALO)));
    map.setPaintProperty("ground", "background-color", of(GROUND));
    for (const layer of ["field-edge", "field-chosen"])
      map.setPaintProperty(layer, "line-color", of(INK));
    map.setPaintProperty("track", "line-color", of(TRACK));
    for (const layer of ["field-name", "machine"]) {
      map.setPaintProperty(layer, "text-color", of(INK));
      map.setPaintProperty(layer, "text-halo-color", of(HALO));
    }
  }
}

function style(tiles: Tiles | null): StyleSpecification {
  const nothing: FeatureCollection = { type: "FeatureCollection", features: [] };
  const empty = { type: "geojson", data: nothing } as const;
  const label = { "text-field": ["get", "name"], "text-size": 13 } as const;
  const text = { "text-halo-width": 2 };
  return {
    version: 8,
    sources: {
      ...(tiles?.tile_url
        ? {
            tiles: {
              type: "raster",
              tiles: [tiles.tile_url],
              tileSize: 256,
              attribution: escaped(tiles.tile_attribution),
            },
          }
        : {}),
      fields: empty,
      tracks: empty,
      machines: empty,
    },
    layers: [
      { id: "ground", type: "background", paint: {} },
      ...(tiles?.tile_url ? [{ id: "tiles", type: "raster", source: "tiles" } as const] : []),
      {
        id: "field-fill",
        type: "fill",
        source: "fields",
        paint: { "fill-pattern": ["concat", "water-", ["get", "status"]] },
      },
      { id: "field-edge", type: "line", source: "fields", paint: { "line-width": 1.5 } },
      { id: "field-chosen", type: "line", source: "fields", paint: { "line-width": 4.5 } },
      {
        id: "track",
        type: "line",
        source: "tracks",
        paint: { "line-width": 1.5, "line-opacity": 0.8 },
      },
      { id: "field-name", type: "symbol", source: "fields", layout: label, paint: text },
      {
        id: "machine",
        type: "symbol",
        source: "machines",
        layout: {
          ...label,
          "icon-image": "machine",
          "icon-rotate": ["get", "heading"],
          "icon-rotation-alignment": "map",
          "icon-allow-overlap": true,
          "text-offset": [0, 1.5],
          "text-optional": true,
        },
        paint: text,
      },
    ],
  } as StyleSpecification;
}

function asFeature({ field, status }: FieldRow): Feature[] {
  if (field.geometry === null) return [];
  const geometry = field.geometry as unknown as Geometry;
  return [{ type: "Feature", id: field.id, geometry, properties: { name: field.name, status } }];
}

function asLine(track: TrackOut): Feature[] {
  if (track.points.length < 2) return [];
  const coordinates = track.points.map((point) => [point.longitude_deg, point.latitude_deg]);
  return [{ type: "Feature", geometry: { type: "LineString", coordinates }, properties: {} }];
}

function asMachine(track: TrackOut): Feature[] {
  const last = track.points.at(-1);
  if (last === undefined) return [];
  const geometry = { type: "Point" as const, coordinates: [last.longitude_deg, last.latitude_deg] };
  return [
    {
      type: "Feature",
      geometry,
      properties: { name: track.device_id, heading: last.heading_deg ?? 0 },
    },
  ];
}

function boundsOf(rows: readonly FieldRow[]): LngLatBounds | null {
  const bounds = new LngLatBounds();
  const extend = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    if (typeof part[0] === "number") bounds.extend(part as [number, number]);
    else part.forEach(extend);
  };
  for (const { field } of rows) extend(field.geometry?.coordinates);
  return bounds.isEmpty() ? null : bounds;
}

function put(map: MapLibreMap, name: string, canvas: HTMLCanvasElement): void {
  const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height);
  if (!data) return;
  if (map.hasImage(name)) map.updateImage(name, data);
  else map.addImage(name, data, { pixelRatio: PIXEL_RATIO });
}

/** A machine seen from above, its heading up. */
function arrow(fill: string, edge: string): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 44;
  const on = canvas.getContext("2d");
  if (on === null) return canvas;
  on.beginPath();
  on.moveTo(22, 4);
  on.lineTo(38, 40);
  on.lineTo(22, 31);
  on.lineTo(6, 40);
  on.closePath();
  on.fillStyle = fill;
  on.strokeStyle = edge;
  on.lineWidth = 4;
  on.stroke();
  on.fill();
  return canvas;
}

/** MapLibre takes an attribution for HTML; ours is text. */
function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
