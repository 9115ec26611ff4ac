/** Signs of what is on a farm beside its fields, alike on maps and legends; each has a form of its own. */
import { effect } from "@preact/signals";
import { isDark } from "../display";
import { LOOKS, type Look } from "../model/signs";
import { type Draw, picture, urlOf } from "./canvas";

const SIZE = 22; // CSS pixels

const FILL: Record<Look, { light: string; dark: string }> = {
  machine: { light: "#7a3ea1", dark: "#d3a6f2" },
  still: { light: "#7a3ea1", dark: "#d3a6f2" },
  drone: { light: "#0b4f9c", dark: "#9cc7ff" },
  herd: { light: "#6b3d12", dark: "#e8b98a" },
  device: { light: "#16201b", dark: "#eef4f0" },
  silent: { light: "#9b2818", dark: "#ffab99" },
};

/** A sign, its heading up. */
export function drawSign(look: Look, dark: boolean): HTMLCanvasElement {
  return picture(SIZE, (on) => {
    on.fillStyle = FILL[look][dark ? "dark" : "light"];
    on.strokeStyle = dark ? "#0f1512" : "#ffffff";
    on.lineWidth = 2;
    on.lineJoin = "round";
    FORMS[look](on);
  });
}

const FORMS: Record<Look, Draw> = {
  machine: (on) =>
    polygon(on, [
      [11, 2],
      [19, 20],
      [11, 15.5],
      [3, 20],
    ]),
  still: (on) => circle(on, 11, 11, 6),
  drone: (on) => {
    for (const [x, y] of [
      [5.5, 6],
      [16.5, 6],
      [5.5, 17],
      [16.5, 17],
    ] as const)
      circle(on, x, y, 3.4);
    polygon(on, [
      [11, 2],
      [14.5, 12],
      [11, 16],
      [7.5, 12],
    ]);
  },
  herd: (on) => {
    for (const [x, y] of [
      [11, 6.5],
      [5.8, 14.5],
      [16.2, 14.5],
    ] as const)
      circle(on, x, y, 4.2);
  },
  device: (on) =>
    polygon(on, [
      [11, 4],
      [18, 11],
      [11, 18],
      [4, 11],
    ]),
  silent: (on) => {
    FORMS.device(on);
    on.beginPath();
    on.moveTo(8, 8);
    on.lineTo(14, 14);
    on.moveTo(14, 8);
    on.lineTo(8, 14);
    on.stroke();
  },
};

function polygon(on: CanvasRenderingContext2D, corners: readonly (readonly [number, number])[]) {
  on.beginPath();
  for (const [x, y] of corners) on.lineTo(x, y);
  on.closePath();
  on.stroke();
  on.fill();
}

function circle(on: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  on.beginPath();
  on.arc(x, y, radius, 0, 2 * Math.PI);
  on.stroke();
  on.fill();
}

/** Offer the signs to style sheets as --sign-machine and so on, in the colours of the theme. */
export function offerSigns(): void {
  effect(() => {
    for (const look of LOOKS) {
      const url = urlOf(drawSign(look, isDark()));
      document.documentElement.style.setProperty(`--sign-${look}`, url);
    }
  });
}

/** Points of a yield monitor: those in the map, and those left out. */
export const POINTS = ["kept", "left-out"] as const;
const POINT = {
  kept: { light: "#16201b", dark: "#eef4f0" },
  "left-out": { light: "#b3261e", dark: "#ff9d90" },
};

/** A dot, or a cross for one that is left out. */
export function drawPoint(name: (typeof POINTS)[number], dark: boolean): HTMLCanvasElement {
  return picture(7, (on) => {
    on.fillStyle = on.strokeStyle = POINT[name][dark ? "dark" : "light"];
    on.lineWidth = 1.5;
    on.beginPath();
    if (name === "kept") {
      on.arc(3.5, 3.5, 2, 0, 2 * Math.PI);
      on.fill();
      return;
    }
    on.moveTo(1, 1);
    on.lineTo(6, 6);
    on.moveTo(6, 1);
    on.lineTo(1, 6);
    on.stroke();
  });
}
