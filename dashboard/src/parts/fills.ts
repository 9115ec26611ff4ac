/** Fills of areas on maps, each a colour and a pattern of its own, alike on map and legend. */
import { effect } from "@preact/signals";
import { isDark } from "../display";
import { STATUSES, type Status } from "../model/water";
import { type Draw, picture, urlOf } from "./canvas";

const SIZE = 12; // CSS pixels

interface Look {
  readonly light: readonly [fill: string, ink: string];
  readonly dark: readonly [fill: string, ink: string];
  readonly draw: Draw;
}

const none: Draw = () => {};

/** Lines across the square at a slope of one, so that squares side by side go on. */
function stripes(width: number, back = false): Draw {
  return (on) => {
    on.lineWidth = width;
    on.beginPath();
    for (const shift of [-SIZE, 0, SIZE]) {
      on.moveTo(shift, back ? 0 : SIZE);
      on.lineTo(shift + SIZE, back ? SIZE : 0);
    }
    on.stroke();
  };
}

function dots(radius: number): Draw {
  return (on) => {
    for (const at of [SIZE / 4, (3 * SIZE) / 4]) {
      on.beginPath();
      on.arc(at, at, radius, 0, 2 * Math.PI);
      on.fill();
    }
  };
}

function dash(on: CanvasRenderingContext2D): void {
  on.lineWidth = 1.4;
  on.beginPath();
  on.moveTo(0, SIZE / 2);
  on.lineTo(SIZE / 2, SIZE / 2);
  on.stroke();
}

function both(...draws: readonly Draw[]): Draw {
  return (on) => {
    for (const draw of draws) draw(on);
  };
}

// One hue for an amount, from pale to deep; the pattern thickens with it.
const RAMP: readonly Look[] = [
  { light: ["#fdf1c9", "#8a6d1d"], dark: ["#5a4a1c", "#f2dda0"], draw: dots(0.7) },
  { light: ["#f6dd8b", "#6b5210"], dark: ["#7a6420", "#f7e7b8"], draw: none },
  { light: ["#d9d873", "#5a5a10"], dark: ["#7f8228", "#f1f2c4"], draw: dots(1.4) },
  { light: ["#acd07a", "#335a1a"], dark: ["#5f8c3c", "#e3f3d3"], draw: none },
  { light: ["#76bd7f", "#0f4a24"], dark: ["#3f9457", "#dcf5e2"], draw: stripes(1) },
  { light: ["#42a385", "#ffffff"], dark: ["#2f8f78", "#e0fbf3"], draw: none },
  { light: ["#20868a", "#e6fbfb"], dark: ["#2a858f", "#e2fbfd"], draw: stripes(2) },
  { light: ["#15667f", "#dff3fa"], dark: ["#2f74a0", "#e1f1fb"], draw: none },
  {
    light: ["#1b4670", "#cfe4f7"],
    dark: ["#4765b3", "#e4eafb"],
    draw: both(stripes(1), stripes(1, true)),
  },
  { light: ["#2a2a5e", "#d9d9f5"], dark: ["#6a58b5", "#ece7fb"], draw: none },
  { light: ["#33124a", "#ecd9f7"], dark: ["#8d4fb0", "#f6e8fd"], draw: dots(2) },
];

const WATER: Record<Status, Look> = {
  stress: {
    light: ["#b03a26", "#ffe3dc"],
    dark: ["#c2503c", "#ffd9d0"],
    draw: both(stripes(1.4), stripes(1.4, true)),
  },
  low: { light: ["#f0a23c", "#5a3300"], dark: ["#d58a2d", "#5a3300"], draw: stripes(2) },
  fair: { light: ["#a5d6cb", "#22685b"], dark: ["#5fa79b", "#0c2f29"], draw: dots(1.3) },
  good: { light: ["#2f7fa8", "#ffffff"], dark: ["#3f8fb8", "#ffffff"], draw: none },
  unknown: { light: ["#c5ccc8", "#4b5a52"], dark: ["#4a544f", "#cfd8d3"], draw: dash },
  idle: { light: ["#eceee8", "#000000"], dark: ["#222c27", "#000000"], draw: none },
};

const LOOKS: Record<string, Look> = {
  ...Object.fromEntries(STATUSES.map((status) => [`water-${status}`, WATER[status]])),
  once: { light: ["#8fc79b", "#1f5a2e"], dark: ["#3f7d4e", "#c9ecd2"], draw: none },
  more: { light: ["#e58a2b", "#4f2600"], dark: ["#c2721d", "#fff0dd"], draw: stripes(2.4) },
  gap: {
    light: ["#b3261e", "#ffffff"],
    dark: ["#d9574b", "#ffffff"],
    draw: both(stripes(1.6), stripes(1.6, true)),
  },
  seen: { light: ["#cfe3f3", "#2c6799"], dark: ["#27465f", "#a9d2f2"], draw: dots(1) },
  ...Object.fromEntries(RAMP.map((look, place) => [`ramp-${place}`, look])),
};

export const FILLS = Object.keys(LOOKS);

/** The fill of a place among so many classes: the whole ramp is used, its ends always. */
export function rampFill(place: number, classes: number): string {
  const steps = Math.max(classes - 1, 1);
  const at = Math.round((place * (RAMP.length - 1)) / steps);
  return `ramp-${Math.min(Math.max(at, 0), RAMP.length - 1)}`;
}

/** A square of a fill, to be repeated. */
export function square(name: string, dark: boolean): HTMLCanvasElement {
  return picture(SIZE, (on) => {
    const look = LOOKS[name];
    if (look === undefined) return;
    const [fill, ink] = dark ? look.dark : look.light;
    on.fillStyle = fill;
    on.fillRect(0, 0, SIZE, SIZE);
    on.strokeStyle = on.fillStyle = ink;
    look.draw(on);
  });
}

const urls = new Map<string, string>();

/** The same for a style sheet. */
export function fillImage(name: string): string {
  const key = `${name} ${isDark()}`;
  const found = urls.get(key) ?? urlOf(square(name, isDark()));
  urls.set(key, found);
  return found;
}

/** Offer the fills of the water's status to style sheets as --water-stress and so on. */
export function offerWater(): void {
  effect(() => {
    for (const status of STATUSES) {
      document.documentElement.style.setProperty(`--water-${status}`, fillImage(`water-${status}`));
    }
  });
}
