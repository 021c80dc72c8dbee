/** One layer: what it is called, its fields, how it is drawn, who may see it, its imports, and its end. */

import { useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { base, run } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { Imports } from "./imports.js";
import { ReadState, useAct, useRead } from "./loading.js";
import { say } from "./state.js";
import { StyleEditor } from "./style_editor.js";
import { count, own, when } from "./words.js";

const LEVELS = ["public", "internal", "sensitive", "core"];
const readSettings = (id) => () => run("layer-settings", { layer: id });

export function LayerDesk({ id, state, onClose }) {
  const found = useRead(readSettings(id), [id]);
  const layer = found.value;
  return html`
    <button type="button" class="button quiet back" onClick=${onClose}>${icon("back")}${t("layers.back")}</button>
    <${ReadState} found=${found} />
    ${layer && html`<article class="form" data-layer=${layer.id} data-updated=${layer.updated}>
      <header><h3 tabindex="-1">${own(layer.title)} <span class="soft small">${layer.id}</span></h3>
        <p class="row"><span class="chip">${t(`level.${layer.visibility}`)}</span><span class="chip">${layer.geometry_type} · EPSG:${layer.srid}</span><span class="chip">${t("layer.features", { n: count(layer.features) })}</span>
          <span class="small soft">${t("layer.updated", { at: when(layer.updated) })}</span></p>
        <p class="row"><a href=${new URL(`collections/${encodeURIComponent(layer.id)}/items`, base).href}>${t("layer.items")}</a> <a href=${new URL("map", base).href}>${t("pages.map")}</a></p></header>
      ${!layer.manageable && html`<p class="notice wait">${t("layer.closed")}</p>`}
      ${layer.manageable && state.executes.includes("describe-layer") && html`<${About} layer=${layer} again=${found.again} />`}
      ${layer.manageable && layer.kind === "vector" && html`<${Fields} layer=${layer} again=${found.again} />
        <${StyleEditor} layer=${layer} again=${found.again} key=${layer.updated} />`}
      ${layer.manageable && html`<${Seen} layer=${layer} again=${found.again} />`}
      ${layer.kind === "vector" && html`<${Imports} layer=${layer} state=${state} again=${found.again} />`}
      ${layer.removable && state.executes.includes("remove-layer") && html`<${Remove} layer=${layer} onClose=${onClose} />`}
    </article>`}
  `;
}

function About({ layer, again }) {
  const [send, { busy, trouble }] = useAct(async (form) => {
    const { zh, en, about_zh, about_en, source, licence } = Object.fromEntries(new FormData(form));
    await run("describe-layer", { layer: layer.id, title: { zh, en }, description: { zh: about_zh, en: about_en }, source, licence });
    say(t("layer.kept"));
    await again();
  });
  const text = (name, label, value) => html`<label class="field"><span>${label}</span><input name=${name} defaultValue=${value} maxlength="500" /></label>`;
  return html`<details class="card" open><summary>${t("about")}</summary><form class="form" onSubmit=${(event) => { event.preventDefault(); send(event.target); }}>
    <div class="two">${text("zh", t("about.title.zh"), layer.title.zh)}${text("en", t("about.title.en"), layer.title.en)}
      ${text("about_zh", t("about.words.zh"), layer.description.zh)}${text("about_en", t("about.words.en"), layer.description.en)}
      ${text("source", t("about.source"), layer.source)}${text("licence", t("about.licence"), layer.licence)}</div>
    ${trouble && html`<${Trouble} error=${trouble} />`}
    <div class="row"><button class="button main" data-keep="about" disabled=${busy}>${t("keep")}</button></div></form></details>`;
}

function Fields({ layer, again }) {
  const [changes, setChanges] = useState({});
  const [send, { busy, trouble }] = useAct(async () => {
    await run("change-layer", { layer: layer.id, fields: changes });
    setChanges({});
    say(t("layer.kept"));
    await again();
  });
  if (layer.fields.length === 0) return null;
  const put = (field, part, value) => setChanges({ ...changes, [field]: { ...changes[field], [part]: value } });
  const cell = (field, part, value, label) => html`<td><input value=${changes[field.name]?.[part] ?? value ?? ""} maxlength="200" aria-label=${t("fields.of", { what: label, field: field.name })} data-field=${field.name} data-part=${part} onInput=${(event) => put(field.name, part, event.target.value)} /></td>`;
  return html`<details class="card"><summary>${t("fields", { n: layer.fields.length })}</summary>
    <div class="scroll" tabindex="0" role="group" aria-label=${t("fields", { n: layer.fields.length })}><table><thead><tr><th scope="col">${t("fields.name")}</th><th scope="col">${t("fields.zh")}</th><th scope="col">${t("fields.en")}</th><th scope="col">${t("fields.unit")}</th><th scope="col">${t("fields.level")}</th></tr></thead>
      <tbody>${layer.fields.map((field) => html`<tr key=${field.name}><th scope="row">${field.name}<div class="small soft">${field.type}</div></th>${cell(field, "zh", field.title.zh, t("fields.zh"))}${cell(field, "en", field.title.en, t("fields.en"))}${cell(field, "unit", field.unit, t("fields.unit"))}
        <td><select aria-label=${t("fields.of", { what: t("fields.level"), field: field.name })} value=${changes[field.name]?.visibility ?? field.visibility} onChange=${(event) => put(field.name, "visibility", event.target.value)}>${LEVELS.map((level) => html`<option value=${level} key=${level}>${t(`level.${level}`)}</option>`)}</select></td></tr>`)}</tbody></table></div>
    ${trouble && html`<${Trouble} error=${trouble} />`}
    <div class="row"><button type="button" class="button main" data-keep="fields" disabled=${busy || Object.keys(changes).length === 0} onClick=${() => send()}>${t("keep")}</button></div></details>`;
}

function Seen({ layer, again }) {
  const [level, setLevel] = useState(layer.visibility);
  const [send, { busy, trouble }] = useAct(async () => {
    await run("change-layer", { layer: layer.id, visibility: level });
    say(t("layer.kept"));
    await again();
  });
  return html`<details class="card"><summary>${t("seen")}</summary><div class="form">
    <div class="choice" role="radiogroup" aria-label=${t("seen")}>${LEVELS.map((one) => html`<label key=${one}><input type="radio" name="level" value=${one} checked=${level === one} onChange=${() => setLevel(one)} /><span>${t(`level.${one}`)}<span class="small soft block">${t(`level.${one}.who`)}</span></span></label>`)}</div>
    ${trouble && html`<${Trouble} error=${trouble} />`}
    <div class="row"><button type="button" class="button main" data-keep="seen" disabled=${busy || level === layer.visibility} onClick=${() => send()}>${t("keep")}</button></div></div></details>`;
}

function Remove({ layer, onClose }) {
  const [confirm, setConfirm] = useState("");
  const [send, { busy, trouble }] = useAct(async () => {
    await run("remove-layer", { layer: layer.id, confirm });
    say(t("remove.done", { layer: layer.id }));
    onClose();
  });
  return html`<details class="card"><summary>${t("remove")}</summary><form class="form" onSubmit=${(event) => { event.preventDefault(); send(); }}>
    <p>${t("remove.about", { n: count(layer.features) })}</p>
    <label class="field"><span>${t("remove.confirm", { layer: layer.id })}</span><input value=${confirm} data-confirm onInput=${(event) => setConfirm(event.target.value)} /></label>
    ${trouble && html`<${Trouble} error=${trouble} />`}
    <div class="row"><button class="button danger" disabled=${busy || confirm !== layer.id}>${icon("bin")}${t("remove")}</button></div></form></details>`;
}
