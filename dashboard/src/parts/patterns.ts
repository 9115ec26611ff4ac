/** Fills of the water's status: each its colour and a pattern of its own, alike on map and legend. */
import { effect } from "@preact/signals";
import { isDark } from "../display";
import { STATUSES, type Status } from "../model/water";

const SIZE = 12; // CSS pixels
const SHARP = 2; // device pixels of each

interface Look {
  readonly fill: string;
  readonly ink: string;
  readonly draw: (on: CanvasRenderingContext2D) => void;
}

function stripes(on: CanvasRenderingContext2D, width: number, back = false): void {
  on.lineWidth = width;
  on.beginPath();
  for (const shift of [-SIZE, 0, SIZE]) {
    if (back) {
      on.moveTo(shift, 0);
      on.lineTo(shift + SIZE, SIZE);
    } else {
      on.moveTo(shift, SIZE);
      on.lineTo(shift + SIZE, 0);
    }
  }
  on.stroke();
}

function dots(on: CanvasRenderingContext2D, radius: number): void {
  for (const [x, y] of [
    [3, 3],
    [9, 9],
  ] as const) {
    on.beginPath();
    on.arc(x, y, radius, 0, 2 * Math.PI);
    on.fill();
  }
}

function look(status: Status, dark: boolean): Look {
  switch (status) {
    case "stress":
      return {
        fill: dark ? "#c2503c" : "#b03a26",
        ink: dark ? "#ffd9d0" : "#ffe3dc",
        draw: (on) => {
          stripes(on, 1.4);
          stripes(on, 1.4, true);
        },
      };
    case "low":
      return { fill: dark ? "#d58a2d" : "#f0a23c", ink: "#5a3300", draw: (on) => stripes(on, 2) };
    case "fair":
      return {
        fill: dark ? "#5fa79b" : "#a5d6cb",
        ink: dark ? "#0c2f29" : "#22685b",
        draw: (on) => dots(on, 1.3),
      };
    case "good":
      return { fill: dark ? "#3f8fb8" : "#2f7fa8", ink: "#ffffff", draw: () => {} };
    case "unknown":
      return {
        fill: dark ? "#4a544f" : "#c5ccc8",
        ink: dark ? "#cfd8d3" : "#4b5a52",
        draw: (on) => {
          on.lineWidth = 1.4;
          on.beginPath();
          on.moveTo(0, 6);
          on.lineTo(6, 6);
          on.stroke();
        },
      };
    case "idle":
      return { fill: dark ? "#222c27" : "#eceee8", ink: "#000000", draw: () => {} };
  }
}

/** The pattern of a status, to be repeated. */
export function paint(status: Status, dark: boolean): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE * SHARP;
  const on = canvas.getContext("2d");
  if (on === null) return canvas;
  const { fill, ink, draw } = look(status, dark);
  on.scale(SHARP, SHARP);
  on.fillStyle = fill;
  on.fillRect(0, 0, SIZE, SIZE);
  on.strokeStyle = on.fillStyle = ink;
  draw(on);
  return canvas;
}

export const PIXEL_RATIO = SHARP;

/** Offer the patterns to style sheets as --water-stress and so on, in the colours of the theme. */
export function offerPatterns(): void {
  effect(() => {
    for (const status of STATUSES) {
      const url = `url(${paint(status, isDark()).toDataURL()})`;
      document.documentElement.style.setProperty(`--water-${status}`, url);
    }
  });
}
