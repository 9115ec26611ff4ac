/** A map on a plain ground: areas with fills, outlines with names, lines, marks. Loaded when shown. */
import type { Feature, FeatureCollection, Geometry } from "geojson";
import type { GeoJSONSource, MapLibreMap } from "maplibre-gl";
import { placeWithin } from "../model/geometry";
import { LOOKS } from "../model/signs";
import { FILLS, square } from "./fills";
import { boundsOf, type Content, colour, makeMap, put } from "./map-base";
import type { Tiles } from "./map-place";
import { drawPoint, drawSign, POINTS } from "./signs";

/** What a map shows. Properties of features say how: see the fields. */
export interface Drawing {
  readonly areas: readonly Feature[]; // fill: a name of fills
  readonly outlines: readonly Feature[]; // name
  readonly lines: readonly Feature[]; // colour, width, dashed
  readonly marks: readonly Feature[]; // icon: sign-… or point-…; heading, name
  readonly frame: readonly Geometry[]; // what the map is to show when it is first drawn
  readonly key: string; // of the frame: with another the map moves
}

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
    const map = makeMap(place, tiles, content(), help, { maxZoom: 20 });
    this.#map = map;
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
    for (const name of FILLS) put(map, name, square(name, dark));
    for (const look of LOOKS) put(map, `sign-${look}`, drawSign(look, dark));
    for (const name of POINTS) put(map, `point-${name}`, drawPoint(name, dark));
    colour(map, dark, { lines: ["outlines"], names: ["names", "marks"] });
  }
}

function content(): Content {
  const nothing: FeatureCollection = { type: "FeatureCollection", features: [] };
  const empty = { type: "geojson", data: nothing, tolerance: 0.1 } as const;
  const label = { "text-field": ["coalesce", ["get", "name"], ""], "text-size": 13 } as const;
  const line = {
    type: "line",
    source: "lines",
    layout: { "line-cap": "butt", "line-join": "round" },
  } as const;
  // From afar passes lie closer than lines are wide: what they covered is to be seen between them.
  const thin = ["*", ["get", "width"], ["coalesce", ["get", "afar"], 1]];
  const width = ["interpolate", ["linear"], ["zoom"], 14, thin, 16.5, ["get", "width"]];
  const look = { "line-color": ["get", "colour"], "line-width": width } as const;
  return {
    sources: { areas: empty, outlines: empty, names: empty, lines: empty, marks: empty },
    layers: [
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
  } as Content;
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
