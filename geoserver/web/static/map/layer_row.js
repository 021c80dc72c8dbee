/** One layer of the list: its switch, and folded below it what can be done with it. */

import { useEffect, useState } from "preact/hooks";

import { html, icon } from "./html.js";
import { t } from "./i18n.js";
import { hasTime } from "./layer_list.js";
import { Legend, Swatch } from "./legend.js";

export function LayerRow({ layer, actions }) {
  const [open, setOpen] = useState(false);
  const details = `layer-${layer.id}`;
  return html`
    <li class=${layer.visible ? "layer on" : "layer"} data-layer=${layer.id}>
      <div class="layer-row">
        <label class="switch">
          <input type="checkbox" role="switch" checked=${layer.visible} onChange=${(event) => actions.showLayer(layer.id, event.target.checked)} />
          <span class="track" aria-hidden="true"></span>
          <${Swatch} entries=${layer.legend} />
          <span class="layer-title">${layer.title}</span>
          ${!layer.extent && html`<span class="tag">${t("layers.without")}</span>`}
        </label>
        <button type="button" class="plain fold" aria-expanded=${String(open)} aria-controls=${details}
          aria-label=${t("layers.details", { title: layer.title })} title=${t("layers.details", { title: layer.title })}
          onClick=${() => setOpen(!open)}>${icon("chevron")}</button>
      </div>
      ${open && html`<${Details} id=${details} layer=${layer} actions=${actions} />`}
    </li>
  `;
}

function Details({ id, layer, actions }) {
  const [methods, setMethods] = useState([]);
  useEffect(() => {
    if (layer.editable) actions.allowed(layer.id).then(setMethods);
    if (layer.kind === "coverage") actions.readLegend(layer.id);
  }, [layer.id]);
  const percent = Math.round(layer.opacity * 100);
  return html`
    <div class="layer-details" id=${id}>
      ${layer.description && html`<p>${layer.description}</p>`}
      <label class="slider">
        <span>${t("layers.opacity")}</span>
        <input type="range" min="0" max="100" step="5" value=${percent} aria-valuetext=${`${percent}%`}
          onInput=${(event) => actions.fadeLayer(layer.id, Number(event.target.value) / 100)} />
        <output>${percent}%</output>
      </label>
      ${hasTime(layer) && html`<${Dates} layer=${layer} actions=${actions} />`}
      ${layer.legend.length > 1 && html`<${Legend} entries=${layer.legend} />`}
      ${layer.kind === "coverage" && layer.legend.length === 0 && html`<p class="hint">${t("layers.legend.true")}</p>`}
      ${!layer.extent && html`<p class="hint">${t("layers.empty")}</p>`}
      <div class="row-buttons">
        ${layer.extent && html`<button type="button" class="ghost" onClick=${() => actions.zoomToLayer(layer.id)}>${icon("zoom")}${t("layers.zoom")}</button>`}
        ${layer.kind === "vector" && html`<button type="button" class="ghost" onClick=${() => actions.openTable(layer.id)}>${icon("table")}${t("table.open")}</button>`}
        ${methods.includes("POST") && html`<button type="button" class="ghost" onClick=${() => actions.createFeature(layer.id)}>${icon("plus")}${t("edit.new")}</button>`}
      </div>
    </div>
  `;
}

/** From which day to which: the layer's own time, or when the images were taken. */
function Dates({ layer, actions }) {
  const [from, until] = layer.dates ?? ["", ""];
  const change = (dates) => actions.dateLayer(layer.id, dates.some(Boolean) ? dates : null);
  return html`
    <fieldset class="dates">
      <legend>${t("layers.dates")}</legend>
      <input type="date" aria-label=${t("layers.dates.from")} value=${from} max=${until} onChange=${(event) => change([event.target.value, until])} />
      <span aria-hidden="true">–</span>
      <input type="date" aria-label=${t("layers.dates.until")} value=${until} min=${from} onChange=${(event) => change([from, event.target.value])} />
    </fieldset>
  `;
}
