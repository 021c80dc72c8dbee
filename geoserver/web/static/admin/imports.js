/** Who brought what into a layer, when, and taking one of them back; the names that its past states have. */

import { useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { ask, run } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { ReadState, useAct, useRead } from "./loading.js";
import { say } from "./state.js";
import { count, when } from "./words.js";

const PATIENCE = 600_000;
const path = (id, what) => `collections/${encodeURIComponent(id)}/${what}`;
const read = (id) => async () => {
  const [{ imports }, { versions }] = await Promise.all([ask("GET", path(id, "imports")), ask("GET", path(id, "versions"))]);
  return { imports, versions };
};

export function Imports({ layer, state, again }) {
  const found = useRead(read(layer.id), [layer.id, layer.updated]);
  const [asked, setAsked] = useState(null);
  const reread = async () => {
    setAsked(null);
    await Promise.all([found.again(), again()]);
  };
  return html`<details class="card" open data-imports><summary>${t("imports")}</summary><div class="form">
    <${ReadState} found=${found} />
    ${found.value && found.value.imports.length === 0 && html`<p class="soft">${t("imports.none")}</p>`}
    ${found.value && found.value.imports.length > 0 && html`<ul class="cards">${found.value.imports.map((one) => html`<li class="card-open" key=${one.id} data-import=${one.id} data-mode=${one.mode} data-undone=${String(Boolean(one.undone_by))}>
      <span class="card-head"><strong>${one.mode === "undo" ? t("imports.undo.of", { n: one.undoes }) : one.file ?? t("imports.file.none")}</strong><span class="chip">${t(`mode.${one.mode}`)}</span></span>
      <span class="small soft">${t("imports.number", { n: one.id })} · ${when(one.at)} · ${one.actor}</span>
      <span class="small">${t("imports.counts", { inserted: count(one.inserted), updated: count(one.updated), deleted: count(one.deleted), rejected: count(one.rejected) })}</span>
      ${one.undone_by && html`<span class="chip wait">${t("imports.undone", { n: one.undone_by })}</span>`}
      ${!one.undone_by && state.executes.includes("undo-import") && asked !== one.id && html`<button type="button" class="button" data-undo onClick=${() => setAsked(one.id)}>${icon("back")}${t("imports.undo")}</button>`}
      ${asked === one.id && html`<${Undo} one=${one} onCancel=${() => setAsked(null)} onDone=${reread} />`}
    </li>`)}</ul>`}
    ${found.value && state.executes.includes("name-version") && html`<${Versions} layer=${layer} versions=${found.value.versions} again=${found.again} />`}
  </div></details>`;
}

function Undo({ one, onCancel, onDone }) {
  const [conflict, setConflict] = useState("refuse");
  const [send, { busy, trouble }] = useAct(async () => {
    const done = await run("undo-import", { number: one.id, on_conflict: conflict }, { patience: PATIENCE });
    say(t("imports.undo.done", { n: done.inserted + done.updated + done.deleted }));
    await onDone();
  });
  return html`<div class="form notice wait" role="group" aria-label=${t("imports.undo")}>
    <span>${t("imports.undo.about")}</span>
    <label class="field"><span>${t("imports.later")}</span><select value=${conflict} onChange=${(event) => setConflict(event.target.value)}>${["refuse", "keep", "overwrite"].map((how) => html`<option value=${how} key=${how}>${t(`conflict.${how}`)}</option>`)}</select></label>
    ${trouble && html`<${Trouble} error=${trouble} />`}
    <div class="row"><button type="button" class="button danger" data-undo-do disabled=${busy} onClick=${() => send()}>${t("imports.undo.do")}</button><button type="button" class="button" onClick=${onCancel}>${t("cancel")}</button></div></div>`;
}

function Versions({ layer, versions, again }) {
  const [name, setName] = useState("");
  const [send, { busy, trouble }] = useAct(async () => {
    await run("name-version", { name: name.trim(), layers: [layer.id] });
    setName("");
    await again();
  });
  return html`<div class="form"><h4>${t("versions")}</h4>
    ${versions.length > 0 ? html`<ul class="plain">${versions.map((one) => html`<li key=${one.name}><strong>${one.name}</strong> <span class="small soft">${when(one.at)} ${one.actor ?? ""}</span></li>`)}</ul>` : html`<p class="soft">${t("versions.none")}</p>`}
    <form class="row" onSubmit=${(event) => { event.preventDefault(); send(); }}><label class="field"><span>${t("versions.name")}</span><input value=${name} maxlength="80" required onInput=${(event) => setName(event.target.value)} /></label><button class="button" disabled=${busy}>${t("versions.do")}</button></form>
    ${trouble && html`<${Trouble} error=${trouble} />`}</div>`;
}
