/** A scheme: its buildings, drawn on the map, and what indices, heights and the sun say of it. */

import { useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { stopDrawing, pen } from "./drawing.js";
import { castShadows, changeBuilding, checkHeights, checkIndices, checkSun, drawBuilding, drawGreen, parkingIs, removeBuilding, siteOf } from "./schemes.js";
import { amount, metres, own, percent, squareMetres } from "./words.js";

const VERDICTS = { pass: ["check", "good"], fail: ["stop", "bad"], "no-limit": ["", ""] };

export function SchemePanel({ state }) {
  const { scheme, sketch } = state;
  const site = siteOf(state);
  const drawing = ["building", "green"].includes(sketch?.purpose);
  const ready = site && scheme.buildings.length > 0 && !scheme.busy;
  return html`
    <h2>${t("scheme")}</h2>
    ${site ? html`<p>${t("scheme.site", { name: site.name })}</p>` : html`<p class="notice wait">${t("scheme.noSite")}</p>`}
    <div class="row">
      <button type="button" class="button" data-draw="building" disabled=${drawing} onClick=${drawBuilding}>${icon("edit")}${t("scheme.building")}</button>
      <button type="button" class="button" data-draw="green" disabled=${drawing} onClick=${drawGreen}>${t(scheme.green ? "scheme.green.again" : "scheme.green")}</button>
    </div>
    ${drawing && html`<div class="card" data-pen=${sketch.ready ? "ready" : ""}><p>${t("pen.draw")}</p><div class="row">
      <button type="button" class="button" onClick=${pen.corner}>${icon("target")}${t("pen.corner")}${sketch.corners > 0 ? ` (${sketch.corners})` : ""}</button>
      <button type="button" class="button" onClick=${stopDrawing}>${t("cancel")}</button></div></div>`}
    <${Buildings} buildings=${scheme.buildings} />
    <label class="field narrow"><span>${t("scheme.parking")}</span><input type="number" min="0" max="1000000" value=${scheme.parking} onInput=${(event) => parkingIs(Number(event.target.value) || 0)} /></label>
    <div class="row">
      <button type="button" class="button main" data-run="indices" disabled=${!ready} onClick=${checkIndices}>${t("scheme.indices")}</button>
      <button type="button" class="button" data-run="heights" disabled=${!ready} onClick=${checkHeights}>${t("scheme.heights")}</button>
    </div>
    <${SunForm} disabled=${!site || Boolean(scheme.busy)} />
    <${ShadowForm} disabled=${!site?.geometry || Boolean(scheme.busy)} />
    ${scheme.busy && html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i></div>`}
    ${scheme.trouble && html`<${Trouble} error=${scheme.trouble} />`}
    ${scheme.indices && html`<${Indices} found=${scheme.indices} />`}
    ${scheme.heights && html`<${Heights} found=${scheme.heights} />`}
    ${scheme.sun && html`<${Sun} found=${scheme.sun} />`}
    ${scheme.shadows && html`<${Shadows} found=${scheme.shadows} />`}
  `;
}

function Buildings({ buildings }) {
  if (buildings.length === 0) return html`<p class="soft">${t("scheme.none")}</p>`;
  const field = (n, name, value, max) => html`<input type="number" min="1" max=${max} step=${name === "floors" ? 1 : 0.1} value=${value} aria-label=${t(`scheme.${name}.of`, { n: n + 1 })}
    onChange=${(event) => event.target.checkValidity() && event.target.value !== "" && changeBuilding(n, { [name]: Number(event.target.value) })} />`;
  return html`<table class="wide"><thead><tr><th scope="col">${t("scheme.number")}</th><th scope="col">${t("scheme.floors")}</th><th scope="col">${t("scheme.height")}</th><th scope="col"><span class="hidden-text">${t("scheme.remove")}</span></th></tr></thead>
    <tbody>${buildings.map((one, n) => html`<tr key=${n}><th scope="row">${n + 1}</th><td>${field(n, "floors", one.floors, 500)}</td><td>${field(n, "height", one.height, 1000)}</td>
      <td><button type="button" class="button round" aria-label=${t("scheme.remove.of", { n: n + 1 })} onClick=${() => removeBuilding(n)}>${icon("bin")}</button></td></tr>`)}</tbody></table>`;
}

function SunForm({ disabled }) {
  const [day, setDay] = useState("great-cold");
  const [terrain, setTerrain] = useState(false);
  return html`<div class="card two">
    <label class="field"><span>${t("sun.day")}</span><select value=${day} onChange=${(event) => setDay(event.target.value)}>${["great-cold", "winter-solstice"].map((one) => html`<option value=${one} key=${one}>${t(`sun.${one}`)}</option>`)}</select></label>
    <label class="tick"><input type="checkbox" checked=${terrain} onChange=${(event) => setTerrain(event.target.checked)} />${t("sun.terrain")}</label>
    <button type="button" class="button" data-run="sun" disabled=${disabled} onClick=${() => checkSun(day, terrain)}>${t("scheme.sun")}</button>
  </div>`;
}

/** Day and hour of Beijing time, which all cities have; at first nine o'clock of the winter solstice. */
function ShadowForm({ disabled }) {
  const cast = (event) => {
    event.preventDefault();
    castShadows(`${new FormData(event.target).get("time").slice(0, 16)}:00+08:00`);
  };
  return html`<form class="card two" onSubmit=${cast}>
    <label class="field"><span>${t("shadow.time")}</span><input type="datetime-local" name="time" required defaultValue=${`${new Date().getFullYear()}-12-22T09:00`} /></label>
    <button class="button" data-run="shadows" disabled=${disabled}>${t("scheme.shadows")}</button>
  </form>`;
}

function Shadows({ found }) {
  return html`<section aria-label=${t("scheme.shadows")} data-shadows>
    <p>${t("shadow.result", { azimuth: amount(found.azimuth), altitude: amount(found.altitude), n: found.shadows.features.length, area: squareMetres(found.shaded) })}</p>
    ${found.warnings.map((text, n) => html`<p class="small soft" key=${n}>${own(text)}</p>`)}
  </section>`;
}

function Indices({ found }) {
  return html`<section aria-label=${t("scheme.indices")} data-passes=${String(found.passes)}>
    <h3><span class=${`chip ${found.passes ? "good" : "bad"}`}>${icon(found.passes ? "check" : "stop")}${t(found.passes ? "indices.pass" : "indices.fail")}</span> ${found.plot ? t("indices.plot", { plot: found.plot }) : ""}</h3>
    <div class="scroll" tabindex="0" role="group" aria-label=${t("scheme.indices")}><table class="wide"><thead><tr><th scope="col">${t("indices.name")}</th><th scope="col">${t("indices.value")}</th><th scope="col">${t("indices.limit")}</th><th scope="col">${t("indices.verdict")}</th></tr></thead>
      <tbody>${found.indices.map((one, n) => {
        const [sign, grade] = VERDICTS[one.verdict];
        return html`<tr key=${n} data-index=${one.name} data-verdict=${one.verdict}><th scope="row">${own(one.title)}<div class="small soft formula">${one.formula}</div></th><td class="number">${amount(one.value)} ${one.unit}</td>
          <td class="number">${one.limit === null ? "—" : `${one.at_least ? "≥" : "≤"} ${amount(one.limit)}`}</td><td><span class=${`chip ${grade}`}>${sign && icon(sign)}${t(`verdict.${one.verdict}`)}</span></td></tr>`;
      })}</tbody></table></div>
    ${found.remarks.map((text, n) => html`<p class="small soft" key=${n}>${own(text)}</p>`)}
  </section>`;
}

function Heights({ found }) {
  return html`<section aria-label=${t("scheme.heights")} data-passes=${String(found.passes)}>
    <h3><span class=${`chip ${found.passes ? "good" : "bad"}`}>${icon(found.passes ? "check" : "stop")}${t(found.passes ? "heights.pass" : "heights.fail")}</span></h3>
    <ul class="plain">${found.clearances.map((one, n) => html`<li key=${n}>${t("heights.row", { n: one.building, surface: one.surface || one.kind, top: metres(one.top), limit: metres(one.limit) })}${one.exceeds > 0 ? html` <strong class="need">${t("heights.over", { n: metres(one.exceeds) })}</strong>` : ""}</li>`)}</ul>
    ${found.remarks.map((text, n) => html`<p class="small soft" key=${n}>${own(text)}</p>`)}
  </section>`;
}

/** Steps of the colours of sunlight hours, as the map has them. */
export const SUN = [[0, "#1d2f6f"], [1, "#3f62c0"], [2, "#74a9cf"], [3, "#fdd49e"], [5, "#fc8d59"], [7, "#d7301f"]];

function Sun({ found }) {
  return html`<section aria-label=${t("scheme.sun")} data-sun>
    <h3>${t("sun.result", { date: found.date, required: amount(found.required) })}</h3>
    <p>${t("sun.share", { share: found.share_enough === null ? "—" : percent(found.share_enough), n: found.buildings })}</p>
    <ul class="legend">${SUN.map(([hours, colour]) => html`<li key=${hours}><svg viewBox="0 0 16 16" aria-hidden="true"><rect width="16" height="16" rx="3" fill=${colour} /></svg>${t("sun.hours", { n: hours })}</li>`)}</ul>
    ${found.warnings.map((text, n) => html`<p class="small soft" key=${n}>${own(text)}</p>`)}
  </section>`;
}
