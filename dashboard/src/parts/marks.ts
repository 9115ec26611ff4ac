/** Signs that stand on a map, drawn once for each theme. */

const COLOURS = {
  machine: { light: "#7a3ea1", dark: "#d3a6f2" },
  herd: { light: "#7a4a12", dark: "#f0c58c" },
  kept: { light: "#16201b", dark: "#eef4f0" },
  "left-out": { light: "#b3261e", dark: "#ff9d90" },
  edge: { light: "#ffffff", dark: "#0f1512" },
};

function canvasOf(size: number): [HTMLCanvasElement, CanvasRenderingContext2D | null] {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  return [canvas, canvas.getContext("2d")];
}

/** A machine seen from above, its heading up. */
export function arrow(dark: boolean): HTMLCanvasElement {
  const [canvas, on] = canvasOf(44);
  if (on === null) return canvas;
  on.beginPath();
  for (const [x, y] of [
    [22, 4],
    [38, 40],
    [22, 31],
    [6, 40],
  ] as const)
    on.lineTo(x, y);
  on.closePath();
  on.fillStyle = COLOURS.machine[dark ? "dark" : "light"];
  on.strokeStyle = COLOURS.edge[dark ? "dark" : "light"];
  on.lineWidth = 4;
  on.stroke();
  on.fill();
  return canvas;
}

/** A herd, a point that is in a map, or a cross for one that is left out. */
export function disc(name: "herd" | "kept" | "left-out", dark: boolean): HTMLCanvasElement {
  const size = name === "herd" ? 48 : 14;
  const [canvas, on] = canvasOf(size);
  if (on === null) return canvas;
  const colour = COLOURS[name][dark ? "dark" : "light"];
  const middle = size / 2;
  on.fillStyle = on.strokeStyle = colour;
  if (name === "left-out") {
    on.lineWidth = 3;
    on.moveTo(2, 2);
    on.lineTo(size - 2, size - 2);
    on.moveTo(size - 2, 2);
    on.lineTo(2, size - 2);
    on.stroke();
    return canvas;
  }
  on.beginPath();
  on.arc(middle, middle, middle - (name === "herd" ? 4 : 3), 0, 2 * Math.PI);
  on.fill();
  if (name === "herd") {
    on.strokeStyle = COLOURS.edge[dark ? "dark" : "light"];
    on.lineWidth = 4;
    on.stroke();
    on.beginPath();
    on.arc(middle, middle, 7, 0, 2 * Math.PI);
    on.fillStyle = on.strokeStyle;
    on.fill();
  }
  return canvas;
}
