/** The layers of the city: all of them, one to look after, or a file to bring in. */

import { useEffect, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { language, t } from "../map/i18n.js";
import { ask } from "../work/api.js";
import { icon } from "../work/icons.js";
import { LayerDesk } from "./layer_desk.js";
import { ReadState, useRead } from "./loading.js";
import { Upload } from "./upload.js";

const fromAddress = () => new URLSearchParams(location.hash.slice(1)).get("layer");

const readLayers = async () => (await ask("GET", "collections", { query: { f: "json", lang: language } })).collections;

export function LayersPart({ state }) {
  const [layer, setLayer] = useState(fromAddress());
  const [words, setWords] = useState("");
  const [uploading, setUploading] = useState(false);
  const found = useRead(readLayers, [layer]);
  const open = (id) => {
    history.replaceState(null, "", id ? `#layer=${encodeURIComponent(id)}` : location.pathname + location.search);
    setLayer(id);
  };
  useEffect(() => {
    const follow = () => setLayer(fromAddress());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  if (layer) return html`<${LayerDesk} id=${layer} key=${layer} state=${state} onClose=${() => open(null)} />`;
  if (uploading) return html`<${Upload} layers=${found.value ?? []} state=${state} onClose=${() => setUploading(false)} onDone=${(id) => { setUploading(false); open(id); }} />`;
  const rows = (found.value ?? []).filter((one) => `${one.id} ${one.title}`.toLowerCase().includes(words.trim().toLowerCase()));
  return html`
    <div class="tools">
      <label class="find">${icon("search")}<span class="hidden-text">${t("layers.find")}</span><input class="search-field" type="search" placeholder=${t("layers.find")} value=${words} onInput=${(event) => setWords(event.target.value)} /></label>
      ${state.executes.includes("import-layer") && html`<button type="button" class="button main" data-upload onClick=${() => setUploading(true)}>${icon("box")}${t("upload")}</button>`}
    </div>
    <${ReadState} found=${found} />
    ${found.value && rows.length === 0 && html`<div class="empty">${icon("list")}<p>${t("layers.none")}</p></div>`}
    ${rows.length > 0 && html`<ul class="cards layers">${rows.map((one) => html`<li key=${one.id}><button type="button" class="card-open" data-layer=${one.id} onClick=${() => open(one.id)}>
      <strong>${one.title}</strong><span class="small soft">${one.id}</span>${one.description && html`<span class="small">${one.description}</span>`}</button></li>`)}</ul>`}
  `;
}
