/** What came in and was ended, step by step: uPlot's lines, and the same as a table whose numbers lead to their cases. */

import { useEffect, useRef } from "preact/hooks";
import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { Count } from "./figures.js";
import { partsOf } from "./period.js";
import { either } from "./words.js";

const LINES = ["reported", "handled", "closed"];
const HEIGHT = 190;

/** Each part of the period with its counts; parts without a case have none to list. */
function partsWith(board) {
  const rows = new Map(board.trend.rows.map((row) => [row.keys[board.range.step], row.counts]));
  return partsOf(board.range).map((name) => ({ name, counts: rows.get(name) ?? {} }));
}

export function Trend({ board, chosen, theme }) {
  const place = useRef(null);
  const parts = partsWith(board);
  const names = LINES.filter((line) => line in board.trend.counts);
  const numbers = names.map((line) => parts.map(({ counts }) => counts[line]?.cases ?? 0));
  useEffect(() => drawn(place, parts.map(({ name }) => name), numbers), [board, theme]);
  return html`
    <section class="card trend" aria-labelledby="trend-title">
      <h2 id="trend-title">${t(`trend.${board.range.step}`)}</h2>
      <ul class="keys" aria-hidden="true">${names.map((line) => html`<li class=${`key ${line}`}>${either(board.trend.counts[line].title)}</li>`)}</ul>
      <div class="plot" ref=${place} aria-hidden="true"></div>
      <details>
        <summary>${t("trend.table")}</summary>
        <div class="scroll" tabindex="0" role="group" aria-labelledby="trend-title"><table>
          <thead><tr><th scope="col">${t(`step.${board.range.step}`)}</th>${names.map((line) => html`<th scope="col" class="numeric">${either(board.trend.counts[line].title)}</th>`)}</tr></thead>
          <tbody>${parts.map(({ name, counts }) => html`<tr key=${name}><th scope="row">${name}</th>${names.map((line) => html`<td class="numeric">
            <${Count} number=${counts[line] ?? { cases: 0 }} name=${`trend.${name}.${line}`} label=${`${name} ${either(board.trend.counts[line].title)}`} chosen=${chosen} /></td>`)}</tr>`)}</tbody>
        </table></div>
      </details>
    </section>
  `;
}

/** Draw into `place` now and whenever it changes its width; returns what takes it away. */
function drawn(place, names, numbers) {
  let chart = null;
  let gone = false;
  const watch = new ResizeObserver(([{ contentRect }]) => chart?.setSize({ width: contentRect.width, height: HEIGHT }));
  sheet();
  import("uplot").then(({ default: Plot }) => {
    if (gone || !place.current) return;
    place.current.replaceChildren();
    chart = new Plot(options(names, place.current.clientWidth), [names.map((_, n) => n), ...numbers], place.current);
    watch.observe(place.current);
  });
  return () => {
    gone = true;
    watch.disconnect();
    chart?.destroy();
  };
}

/** uPlot's own style sheet, when the first chart is drawn. */
function sheet() {
  const href = `${document.documentElement.dataset.static}/vendor/uplot.css`;
  if (!document.querySelector(`link[href="${href}"]`)) document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
}

function options(names, width) {
  const colours = getComputedStyle(document.documentElement);
  const colour = (name) => colours.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: colour("soft"), font: `12px ${colour("font")}`, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 12, 0, 0],
    scales: { x: { time: false }, y: { range: (_, __, high) => [0, Math.max(4, Math.ceil(high * 1.1))] } },
    axes: [
      { ...axis, grid: { show: false }, size: 32, space: 64, incrs: [1, 2, 5, 10, 20], values: (_, places) => places.map((n) => short(names[n] ?? "")) },
      { ...axis, grid: { stroke: colour("line"), width: 1 }, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10_000, 50_000] },
    ],
    series: [{}, ...LINES.slice(0, 3).map((line) => ({ stroke: colour(line), width: 2.5, points: { show: names.length < 40, size: 6, fill: colour("surface") } }))],
  };
}

/** 2026-11-22 is 11-22 below an axis; weeks and months stand as they are. */
const short = (name) => (/^\d{4}-\d{2}-\d{2}$/.test(name) ? name.slice(5) : name);
