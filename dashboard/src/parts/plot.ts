/** uPlot as the charts of this page use it; loaded with the first chart. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { timeZone } from "../display";
import { language } from "../words";
import { dateWriter, numberLocale } from "../words/locale";
import type { ChartProps, Series } from "./chart";

const BARS = { size: [0.45, 14, 3] as [number, number, number], radius: 0.1 };
const { bars } = uPlot.paths;

/** Draw a chart; returns what takes it away again. */
export function plot(
  place: HTMLElement,
  props: ChartProps,
  read: (index: number | null) => void,
): () => void {
  const colour = (name: string) =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const [quiet, line, ink] = [colour("--quiet"), colour("--line"), colour("--ink")];
  // Days have no time zone; moments are told in that of the farm.
  const written = props.moments ? timeZone.value : "UTC";
  const zone = written
    ? { tzDate: (at: number) => uPlot.tzDate(new Date(at * 1000), written) }
    : {};
  const seconds =
    props.moments?.map((at) => at / 1000) ??
    props.days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);
  const data = [seconds, ...props.series.map((one) => [...one.values])] as uPlot.AlignedData;
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const numbers = new Intl.NumberFormat(numberLocale(language.value));
  const months = dateWriter(language.value, "month", written);
  const days = dateWriter(language.value, "short", written);
  const top = highest(props.series);
  const low = props.low ?? 0;
  let beside = 0;
  const options: uPlot.Options = {
    width: Math.max(place.clientWidth, 240),
    height: props.height ?? 260,
    ...zone,
    legend: { show: false },
    cursor: {
      y: false,
      ...(props.moments ? {} : { sync: { key: "season" } }),
      drag: { x: false, y: false },
      points: { size: 7 },
    },
    scales: {
      x: { time: true },
      y: { dir: props.downwards ? -1 : 1, range: [low, top + 0.06 * (top - low)] },
    },
    axes: [
      {
        stroke: quiet,
        font,
        grid: { stroke: line, width: 1 },
        ticks: { stroke: line, width: 1 },
        space: 56,
        size: 30,
        values: (_plot, splits, _axis, _space, step) =>
          splits.map((at) => (step < 28 * 86_400 ? days : months)(at * 1000)),
      },
      {
        stroke: quiet,
        font,
        size: 52,
        grid: { stroke: line, width: 1 },
        ticks: { stroke: line, width: 1 },
        values: (_plot, splits) => splits.map((value) => numbers.format(value)),
      },
    ],
    series: [
      {},
      ...props.series.map((one) =>
        drawn(one, colour(one.colour), one.kind === "bars" ? beside++ : 0),
      ),
    ],
    hooks: {
      setCursor: [(chart) => read(chart.cursor.idx ?? null)],
      ...(props.mark ? { draw: [(chart) => mark(chart, props.mark ?? "", ink)] } : {}),
    },
  };
  const chart = new uPlot(options, data, place);
  const watch = new ResizeObserver(() => {
    const width = Math.max(place.clientWidth, 240);
    if (width !== chart.width) chart.setSize({ width, height: options.height });
  });
  watch.observe(place);
  return () => {
    watch.disconnect();
    chart.destroy();
  };
}

function highest(series: readonly Series[]): number {
  let top = 1;
  for (const one of series)
    for (const value of one.values) if (value !== null && value > top) top = value;
  return top;
}

function drawn(one: Series, colour: string, place: number): uPlot.Series {
  const base = { label: one.label, stroke: colour, spanGaps: one.joined ?? false };
  switch (one.kind) {
    case "bars":
      return {
        ...base,
        fill: colour,
        width: 0,
        points: { show: false },
        ...(bars ? { paths: bars({ ...BARS, align: place === 0 ? -1 : 1 }) } : {}),
      };
    case "points":
      return {
        ...base,
        width: 0,
        paths: () => null,
        points: { show: true, size: 6, width: 2, stroke: colour },
      };
    case "area":
      return { ...base, width: 2.5, fill: `${colour}26`, points: { show: false } };
    case "dashed":
      return { ...base, width: 2.5, dash: [9, 6], points: { show: false } };
    case "dotted":
      return { ...base, width: 2, dash: [2, 4], points: { show: false } };
    case "line":
      return { ...base, width: 2.5, points: { show: false } };
  }
}

function mark(chart: uPlot, day: string, ink: string): void {
  const x = Math.round(chart.valToPos(Date.parse(`${day}T00:00:00Z`) / 1000, "x", true));
  const { left, top, width, height } = chart.bbox;
  if (x < left || x > left + width) return;
  const on = chart.ctx;
  on.save();
  on.strokeStyle = ink;
  on.lineWidth = devicePixelRatio;
  on.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  on.beginPath();
  on.moveTo(x, top);
  on.lineTo(x, top + height);
  on.stroke();
  on.restore();
}
