/** A simple style, seen on the map while it is made: one colour, or a colour for each value of a field, and a label. */

import { useMemo, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { ask, run } from "../work/api.js";
import { Trouble } from "../work/trouble.js";
import { ReadState, useAct, useRead } from "./loading.js";
import { SmallMap } from "./small_map.js";
import { say } from "./state.js";
import { mapLayers } from "./style_preview.js";
import { own } from "./words.js";

const FIRST = { color: "#2f6fb0", outline: null, opacity: 0.35, width: 1.5, by: null, classes: [], label: null };
const COLOURS = ["#2f6fb0", "#d9822b", "#3f9a58", "#c2527f", "#7a5cc4", "#9a7420", "#1f9390", "#b3403a", "#6a7683", "#5b6fc9"];
const MOST = 500;
const MOST_CLASSES = 20;

const readSome = (id) => () => ask("GET", `collections/${encodeURIComponent(id)}/items`, { query: { f: "json", limit: MOST } });

export function StyleEditor({ layer, again }) {
  const [opened, setOpened] = useState(false);
  return html`<details class="card" data-style onToggle=${(event) => setOpened(event.target.open)}><summary>${t("style")}</summary>${opened && html`<${Editor} layer=${layer} again=${again} />`}</details>`;
}

function Editor({ layer, again }) {
  const [style, setStyle] = useState(layer.style ?? FIRST);
  const found = useRead(readSome(layer.id), [layer.id]);
  const drawn = useMemo(() => mapLayers(layer.geometry_type, style), [style]);
  const [send, { busy, trouble }] = useAct(async () => {
    await run("change-layer", { layer: layer.id, style });
    say(t("style.kept"));
    await again();
  });
  const change = (values) => setStyle({ ...style, ...values });
  const classify = (by) => change({ by: by || null, classes: by ? classesOf(layer, by, found.value?.features ?? []) : [] });
  const colour = (label, value, set, name) => html`<label class="field"><span>${label}</span><input type="color" value=${value} data-style-part=${name} onInput=${(event) => set(event.target.value)} /></label>`;
  return html`<div class="form">
    ${layer.styled && !layer.style && html`<p class="notice wait">${t("style.own")}</p>`}
    <div class="three">
      ${colour(t("style.color"), style.color, (color) => change({ color }), "color")}
      ${colour(t("style.outline"), style.outline ?? style.color, (outline) => change({ outline }), "outline")}
      <label class="field"><span>${t("style.opacity", { n: Math.round(style.opacity * 100) })}</span><input type="range" min="0" max="1" step="0.05" value=${style.opacity} onInput=${(event) => change({ opacity: Number(event.target.value) })} /></label>
      <label class="field"><span>${t("style.width", { n: style.width })}</span><input type="range" min="0" max="10" step="0.5" value=${style.width} onInput=${(event) => change({ width: Number(event.target.value) })} /></label>
      <label class="field"><span>${t("style.by")}</span><select value=${style.by ?? ""} data-style-part="by" disabled=${!found.value} onChange=${(event) => classify(event.target.value)}><option value="">${t("style.one")}</option>${layer.fields.map((field) => html`<option value=${field.name} key=${field.name}>${own(field.title)}</option>`)}</select></label>
      <label class="field"><span>${t("style.label")}</span><select value=${style.label ?? ""} onChange=${(event) => change({ label: event.target.value || null })}><option value="">${t("style.none")}</option>${layer.fields.map((field) => html`<option value=${field.name} key=${field.name}>${own(field.title)}</option>`)}</select></label>
    </div>
    ${style.classes.length > 0 && html`<ul class="classes" aria-label=${t("style.classes")}>${style.classes.map(({ value, color }, n) => html`<li key=${value}><label><input type="color" value=${color} onInput=${(event) => change({ classes: style.classes.map((one, m) => (m === n ? { ...one, color: event.target.value } : one)) })} /> ${value || t("style.empty")}</label></li>`)}</ul>`}
    <${ReadState} found=${found} />
    ${found.value && (found.value.features.length > 0 ? html`<${SmallMap} data=${found.value} layers=${drawn} label=${t("style.map")} />` : html`<p class="soft">${t("style.nothing")}</p>`)}
    ${trouble && html`<${Trouble} error=${trouble} />`}
    <div class="row"><button type="button" class="button main" data-keep="style" disabled=${busy} onClick=${() => send()}>${t("style.keep")}</button></div>
  </div>`;
}

/** A colour for each value: those of the field's list, else those that the first features have. */
function classesOf(layer, by, features) {
  const listed = layer.fields.find(({ name }) => name === by)?.values ?? [];
  const values = listed.length ? listed : [...new Set(features.map(({ properties }) => String(properties[by] ?? "")))].filter(Boolean).sort();
  return values.slice(0, MOST_CLASSES).map((value, n) => ({ value, color: COLOURS[n % COLOURS.length] }));
}
