/** Small pictures that maps and legends share, drawn by the page itself. */

export const SHARP = 2; // device pixels of each CSS pixel

export type Draw = (on: CanvasRenderingContext2D) => void;

/** A square picture of so many CSS pixels a side. */
export function picture(size: number, draw: Draw): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * SHARP;
  // It is drawn to be read: where a graphics card drew it, reading would wait for that.
  const on = canvas.getContext("2d", { willReadFrequently: true });
  if (on === null) return canvas;
  on.scale(SHARP, SHARP);
  draw(on);
  return canvas;
}

/** A picture as style sheets take it. */
export function urlOf(canvas: HTMLCanvasElement): string {
  return `url(${canvas.toDataURL()})`;
}
