/** Where vehicles were: heat map and coverage, switched onto the map. */

import { useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { Trouble } from "../work/trouble.js";
import { clearCoverage, readCoverage, toggleHeat } from "./ground.js";
import { here } from "./map_pane.js";
import { count } from "./words.js";

const BACK = [1, 8, 24, 168];
const MOST_DEVICES = 200;
const ROADS = { main: ["motorway", "trunk", "primary", "secondary"], all: ["motorway", "trunk", "primary", "secondary", "tertiary", "residential", "unclassified"] };

export function GroundPanel({ state }) {
  const { ground, shown, chosen } = state;
  const [back, setBack] = useState(8);
  const [roads, setRoads] = useState("main");
  const [width, setWidth] = useState(20);
  const devices = chosen ? [chosen] : shown.slice(0, MOST_DEVICES);
  const heat = () => {
    const box = here.map?.getBounds().toArray().flat() ?? [-180, -90, 180, 90];
    toggleHeat(back, box, here.map?.getZoom() ?? 12);
  };
  return html`
    <div class="form">
      <label class="field"><span>${t("ground.back")}</span><select value=${back} onChange=${(event) => setBack(Number(event.target.value))}>${BACK.map((one) => html`<option value=${one}>${t("ground.hours", { hours: one })}</option>`)}</select></label>
      ${ground.trouble && html`<${Trouble} error=${ground.trouble} />`}
      <section class="card"><h3>${t("heat")}</h3><p class="small soft">${t("heat.about")}</p>
        <button type="button" class="button" data-act="heat" aria-pressed=${String(Boolean(ground.heat))} disabled=${ground.busy === "heat"} onClick=${heat}>${t(ground.busy === "heat" ? "loading" : ground.heat ? "heat.hide" : "heat.show")}</button>
        ${ground.heat && html`<p role="status">${t("heat.found", { count: count(ground.heat.count) })}</p>
          <p class="ramp" role="img" aria-label=${t("heat.ramp")}><span>${t("heat.few")}</span><i></i><span>${t("heat.many")}</span></p>`}</section>
      <section class="card"><h3>${t("coverage")}</h3><p class="small soft">${t("coverage.about", { who: chosen ? t("coverage.chosen") : t("coverage.shown", { count: devices.length }) })}</p>
        <label class="field"><span>${t("coverage.roads")}</span><select value=${roads} onChange=${(event) => setRoads(event.target.value)}>${Object.keys(ROADS).map((one) => html`<option value=${one}>${t(`coverage.${one}`)}</option>`)}</select></label>
        <label class="field"><span>${t("coverage.width")}</span><input type="number" min="2" max="200" value=${width} onInput=${(event) => setWidth(Number(event.target.value))} /></label>
        <div class="row"><button type="button" class="button" data-act="coverage" disabled=${ground.busy === "coverage" || devices.length === 0} onClick=${() => readCoverage(devices, back, width, ROADS[roads])}>${t(ground.busy === "coverage" ? "loading" : "coverage.show")}</button>
          ${ground.coverage && html`<button type="button" class="button" onClick=${clearCoverage}>${t("coverage.hide")}</button>`}</div>
        ${ground.coverage && html`<p role="status"><b class="percent">${ground.coverage.percent?.toFixed(1)} %</b> ${t("coverage.found", { swept: (ground.coverage.swept / 1000).toFixed(1), whole: (ground.coverage.whole / 1000).toFixed(1), missed: ground.coverage.missed.features.length })}</p>`}</section>
    </div>
  `;
}
