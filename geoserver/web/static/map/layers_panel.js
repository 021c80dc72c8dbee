/** The layer list: switch, fade, legend, go there. */

import { useState } from "preact/hooks";

import { html, icon, iconButton } from "./html.js";
import { t } from "./i18n.js";

export function LayersPanel({ layers, actions, onClose }) {
  const groups = ["thematic", "base"].map((name) => [name, layers.filter((layer) => layer.group === name)]);
  return html`
    <section class="card panel layers" id="layers-panel" aria-label=${t("layers.title")}>
      <header class="panel-head">
        <h2>${t("layers.title")}</h2>
        ${iconButton({ name: "close", label: t("close"), onClick: onClose, className: "plain" })}
      </header>
      <div class="panel-body">
        ${groups.map(([name, members]) => members.length > 0 && html`<${Group} key=${name} name=${name} members=${members} actions=${actions} />`)}
        ${layers.every((layer) => layer.group === "base") && html`<p class="hint">${t("layers.none")}</p>`}
      </div>
    </section>
  `;
}

function Group({ name, members, actions }) {
  return html`
    <h3 id=${`group-${name}`}>${t(`layers.${name}`)}</h3>
    <ul class="layer-list" aria-labelledby=${`group-${name}`}>
      ${members.map((layer) => html`<${Row} key=${layer.id} layer=${layer} actions=${actions} />`)}
    </ul>
  `;
}

function Row({ layer, actions }) {
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
      ${layer.legend.length > 1 && html`
        <ul class="legend" aria-label=${t("layers.legend")}>
          ${layer.legend.map((entry) => html`<li key=${entry.label}><${Mark} entry=${entry} />${entry.label}</li>`)}
        </ul>
      `}
      ${layer.extent
        ? html`<button type="button" class="ghost" onClick=${() => actions.zoomToLayer(layer.id)}>${icon("zoom")}${t("layers.zoom")}</button>`
        : html`<p class="hint">${t("layers.empty")}</p>`}
    </div>
  `;
}

/** Up to three of a layer's colours, side by side. */
function Swatch({ entries }) {
  const picked = entries.length > 3 ? [entries[0], entries[Math.floor(entries.length / 2)], entries.at(-1)] : entries;
  return html`<span class="swatch" aria-hidden="true">${picked.map((entry) => html`<${Mark} entry=${entry} />`)}</span>`;
}

function Mark({ entry }) {
  const { shape, color, outline } = entry;
  const edge = outline ?? "none";
  return html`
    <svg class="mark" viewBox="0 0 18 14" aria-hidden="true">
      ${shape === "fill" && html`<rect x="1.5" y="1.5" width="15" height="11" rx="2.5" fill=${color} stroke=${outline ?? "currentColor"} stroke-opacity=${outline ? 1 : 0.18} />`}
      ${shape === "line" && html`<path d="M1 11 17 3" fill="none" stroke=${edge} stroke-width="5" /><path d="M1 11 17 3" fill="none" stroke=${color} stroke-width="3" />`}
      ${shape === "circle" && html`<circle cx="9" cy="7" r="4.5" fill=${color} />`}
      ${shape === "text" && html`<text x="9" y="11.5" text-anchor="middle" font-size="12" fill=${color}>${t("layers.sample")}</text>`}
    </svg>
  `;
}
