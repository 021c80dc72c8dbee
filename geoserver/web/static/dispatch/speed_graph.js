/** Speeds over time by uPlot, with the moment that is played; a click goes to another. */

import { clock, seek } from "./replay.js";
import { TRACK_COLOURS } from "./map_layers.js";
import { time } from "./words.js";

const HEIGHT = 120;
/** Values of one line that a screen can tell apart. */
const MOST = 2000;

/** Draw into `place` until the returned function is called. */
export function drawGraph(place, { data, events }) {
  let chart = null;
  let gone = false;
  const resize = new ResizeObserver(([{ contentRect }]) => chart?.setSize({ width: contentRect.width, height: HEIGHT }));
  const unhear = clock.subscribe(() => chart?.redraw(false, false));
  sheet();
  import("uplot").then(({ default: Plot }) => {
    if (gone || !place.current) return;
    place.current.replaceChildren();
    chart = new Plot(options(data, events, place.current.clientWidth), thinned(data), place.current);
    chart.over.addEventListener("click", ({ offsetX }) => seek(chart.posToVal(offsetX, "x") * 1000));
    resize.observe(place.current);
  });
  return () => {
    gone = true;
    unhear();
    resize.disconnect();
    chart?.destroy();
  };
}

/** Times [s] and the speeds of each vehicle, of every so manieth instant the highest. */
function thinned({ times, tracks }) {
  const step = Math.ceil(times.length / MOST);
  const at = [];
  for (let n = 0; n < times.length; n += step) at.push(n);
  const highest = (values) => at.map((n) => values.slice(n, n + step).reduce((most, one) => (one === null ? most : Math.max(most ?? 0, one)), null));
  return [at.map((n) => times[n] / 1000), ...tracks.map(({ speed }) => highest(speed))];
}

function sheet() {
  const href = `${document.documentElement.dataset.static}/vendor/uplot.css`;
  if (!document.querySelector(`link[href="${href}"]`)) document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
}

function options({ tracks }, events, width) {
  const colours = getComputedStyle(document.documentElement);
  const colour = (name) => colours.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: colour("soft"), font: `12px ${colour("font")}`, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    padding: [8, 8, 0, 0],
    scales: { y: { range: (_, __, high) => [0, Math.max(20, (high ?? 0) * 1.1)] } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, space: 90, values: (_, places) => places.map((one) => time(one * 1000)) },
      { ...axis, grid: { stroke: colour("line"), width: 1 }, size: 40 },
    ],
    series: [{}, ...tracks.map((_, n) => ({ stroke: TRACK_COLOURS[n % TRACK_COLOURS.length], width: 2, points: { show: false } }))],
    hooks: { draw: [(chart) => moments(chart, events, colour)] },
  };
}

/** The alarms as marks at the top, and the moment that is played as a line. */
function moments(chart, events, colour) {
  const { ctx, bbox } = chart;
  const x = (at) => Math.round(chart.valToPos(at / 1000, "x", true));
  ctx.save();
  ctx.fillStyle = colour("bad");
  for (const { kind, at } of events) if (kind === "alarm") ctx.fillRect(x(at) - 2, bbox.top, 4, 10);
  ctx.fillStyle = colour("accent");
  ctx.fillRect(x(clock.get().at) - 1, bbox.top, 2, bbox.height);
  ctx.restore();
}
