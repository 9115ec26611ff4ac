/** MapLibre as this page uses it: fields by status, and signs. A file of its own: it is big. */
import type { Feature, FeatureCollection, Geometry } from "geojson";
import type {
  ExpressionSpecification,
  GeoJSONSource,
  LngLatBounds,
  MapLibreMap,
} from "maplibre-gl";
import { LOOKS, lookOf, type Sign } from "../model/signs";
import { type FieldRow, STATUSES } from "../model/water";
import { square } from "./fills";
import { boundsOf, type Content, colour, makeMap, put } from "./map-base";
import type { Tiles } from "./map-place";
import { drawSign } from "./signs";

const MANY = 300; // fields whose names would cover them from afar
const CLOSE = 12; // zoom from which signs and many fields have their names
// From afar a field is some pixels wide: its edge must not cover it.
const EDGE = ["interpolate", ["linear"], ["zoom"], 8, 0.2, 12, 1.5];
const FIT = { padding: 48, maxZoom: 15 };

/** What was clicked on. */
export interface Hit {
  readonly field: number | null;
  readonly sign: string | null;
}

/** Who hears of what happens on the map. */
interface Listener {
  readonly choose: (hit: Hit) => void;
  readonly drawn: () => void;
}

export interface Shown {
  readonly rows: readonly FieldRow[];
  readonly signs: readonly Sign[];
  readonly chosen: number | null;
  readonly dark: boolean;
}

export class FieldMapEngine {
  readonly #map: MapLibreMap;
  readonly #place: HTMLElement;
  #next: Shown;
  #drawn: Drawn;
  #ready = false;

  /** Make the map with what it shows first: it then draws once, and not an empty map before. */
  constructor(place: HTMLElement, tiles: Tiles | null, shown: Shown, tell: Listener) {
    this.#place = place;
    this.#next = shown;
    this.#drawn = drawnOf(shown);
    const bounds = boundsOfFields(shown.rows);
    const map = makeMap(place, tiles, contentOf(shown), "map-help", {
      ...(bounds ? { bounds, fitBoundsOptions: FIT } : {}),
      maxZoom: 19,
    });
    this.#map = map;
    map.on("style.load", () => {
      this.#ready = true;
      this.#colour(this.#drawn.dark);
      this.#draw();
    });
    map.on("idle", () => {
      place.closest(".mapbox")?.setAttribute("data-drawn", "");
      tell.drawn();
    });
    map.on("click", (click) => {
      const [hit] = map.queryRenderedFeatures(click.point, { layers: ["sign", "field-fill"] });
      const sign: unknown = hit?.properties.sign;
      tell.choose({
        field: typeof hit?.id === "number" ? hit.id : null,
        sign: typeof sign === "string" ? sign : null,
      });
    });
    for (const layer of ["field-fill", "sign"]) {
      map.on("mouseenter", layer, () => {
        map.getCanvas().style.cursor = "pointer";
      });
      map.on("mouseleave", layer, () => {
        map.getCanvas().style.cursor = "";
      });
    }
  }

  /** Show fields and signs; the map moves to the fields where these are others than before. */
  show(shown: Shown): void {
    this.#next = shown;
    if (this.#ready) this.#draw();
  }

  remove(): void {
    this.#map.remove();
  }

  /** Draw what is another than before, and nothing else: two thousand fields take their time. */
  #draw(): void {
    const { rows, signs, chosen } = this.#next;
    const [before, now] = [this.#drawn, drawnOf(this.#next)];
    this.#drawn = now;
    const changed = (Object.keys(now) as (keyof Drawn)[]).some((key) => now[key] !== before[key]);
    if (changed) this.#place.closest(".mapbox")?.removeAttribute("data-drawn");
    if (now.dark !== before.dark) this.#colour(now.dark);
    if (now.fields !== before.fields) {
      this.#source("fields", rows.flatMap(asFeature));
      this.#map.setLayerZoomRange("field-name", nameFrom(rows), 24);
    }
    if (now.signs !== before.signs) this.#source("signs", signs.map(asSign));
    if (now.beside !== before.beside)
      this.#map.setLayoutProperty("field-name", "text-offset", nameAt(this.#next));
    if (now.chosen !== before.chosen) this.#map.setFilter("field-chosen", isChosen(chosen));
    requestAnimationFrame(() => this.#clear(rows.find((row) => row.field.id === chosen)));
    if (now.places !== before.places) {
      const bounds = boundsOfFields(rows);
      if (bounds) this.#map.fitBounds(bounds, { ...FIT, animate: false });
    }
  }

  /** Move the map where the card of the chosen field lies on the field. */
  #clear(chosen: FieldRow | undefined): void {
    const place = this.#place;
    const card = place.parentElement?.querySelector(".onmap")?.getBoundingClientRect();
    const bounds = chosen && boundsOfFields([chosen]);
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
    this.#map.getSource<GeoJSONSource>(name)?.setData(collection(features));
  }

  #colour(dark: boolean): void {
    const map = this.#map;
    for (const status of STATUSES) put(map, `water-${status}`, square(`water-${status}`, dark));
    for (const look of LOOKS) put(map, `sign-${look}`, drawSign(look, dark));
    colour(map, dark, { lines: ["field-edge", "field-chosen"], names: ["field-name", "sign"] });
  }
}

/** What tells one picture from another. */
interface Drawn {
  readonly places: string; // which fields: the map moves to others
  readonly fields: string; // and how they stand
  readonly beside: string; // on which fields a sign stands in the place of the name
  readonly signs: readonly Sign[];
  readonly chosen: number | null;
  readonly dark: boolean;
}

function drawnOf(shown: Shown): Drawn {
  const { rows, signs, chosen, dark } = shown;
  const sorted = rows.map((row) => `${row.field.id} ${row.status}`).sort();
  const places = sorted.map((one) => one.split(" ")[0]).join();
  const beside = withSigns(shown).join();
  return { places, fields: sorted.join(), beside, signs, chosen, dark };
}

/** Fields in whose middle signs stand; of many, whose names are not seen from afar, none. */
function withSigns({ rows, signs }: Shown): number[] {
  if (rows.length > MANY) return [];
  return [...new Set(signs.flatMap((sign) => sign.field?.id ?? []))].sort((a, b) => a - b);
}

/** Where a field's name stands: in the middle, or beneath the signs there. [em] */
function nameAt(shown: Shown): ExpressionSpecification {
  const beneath: ExpressionSpecification = ["in", ["id"], ["literal", withSigns(shown)]];
  return ["case", beneath, ["literal", [0, 2.6]], ["literal", [0, 0]]];
}

function nameFrom(rows: readonly FieldRow[]): number {
  return rows.length > MANY ? CLOSE : 0;
}

function isChosen(field: number | null): ["==", ["id"], number] {
  return ["==", ["id"], field ?? -1];
}

function collection(features: Feature[]): FeatureCollection {
  return { type: "FeatureCollection", features };
}

function contentOf(shown: Shown): Content {
  const label = {
    "text-field": ["get", "name"],
    "text-size": 13,
    "text-offset": nameAt(shown),
  } as const;
  const text = { "text-halo-width": 2 };
  return {
    sources: {
      fields: { type: "geojson", data: collection(shown.rows.flatMap(asFeature)) },
      signs: { type: "geojson", data: collection(shown.signs.map(asSign)) },
    },
    layers: [
      {
        id: "field-fill",
        type: "fill",
        source: "fields",
        paint: {
          "fill-pattern": ["concat", "water-", ["get", "status"]],
          "fill-antialias": false, // the edge is a line of its own
        },
      },
      { id: "field-edge", type: "line", source: "fields", paint: { "line-width": EDGE } },
      {
        id: "field-chosen",
        type: "line",
        source: "fields",
        paint: { "line-width": 4.5 },
        filter: isChosen(shown.chosen),
      },
      {
        id: "field-name",
        type: "symbol",
        source: "fields",
        layout: label,
        paint: text,
        minzoom: nameFrom(shown.rows),
      },
      {
        id: "sign",
        type: "symbol",
        source: "signs",
        layout: {
          "text-field": ["step", ["zoom"], "", CLOSE + 1, ["get", "name"]],
          "text-size": 12,
          "icon-image": ["concat", "sign-", ["get", "look"]],
          "icon-rotate": ["get", "heading"],
          "icon-offset": ["get", "shift"],
          "icon-rotation-alignment": "map",
          "icon-allow-overlap": true,
          "icon-ignore-placement": true, // a sign that passes hides no field's name
          "text-offset": [0, 1.3],
          "text-anchor": "top",
          "text-optional": true,
        },
        paint: text,
      },
    ],
  } as Content;
}

function asFeature({ field, status }: FieldRow): Feature[] {
  if (field.geometry === null) return [];
  const geometry = field.geometry as unknown as Geometry;
  return [{ type: "Feature", id: field.id, geometry, properties: { name: field.name, status } }];
}

function asSign(sign: Sign): Feature {
  const moves = sign.kind === "machine" || sign.kind === "drone";
  return {
    type: "Feature",
    geometry: { type: "Point", coordinates: [...sign.at] },
    properties: {
      sign: sign.id,
      name: sign.name,
      look: lookOf(sign),
      heading: moves ? (sign.heading ?? 0) : 0,
      shift: sign.shift,
    },
  };
}

function boundsOfFields(rows: readonly FieldRow[]): LngLatBounds | null {
  return boundsOf(
    rows.flatMap(({ field }) => (field.geometry as unknown as Geometry | null) ?? []),
  );
}
