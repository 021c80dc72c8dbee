/** Bring a file in: see what it holds, say how it is to be read, then import it as a job. */

import { useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { ask, run } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { JobProgress } from "./job_progress.js";
import { useAct } from "./loading.js";
import { Preview } from "./preview.js";
import { own } from "./words.js";

const PATIENCE = 600_000;
const KINDS = ".zip,.geojson,.json,.gpkg,.csv,.dxf,.kml,.kmz,.fgb,.parquet,.gml,.pbf";

export function Upload({ layers, onClose, onDone }) {
  const [file, setFile] = useState(null);
  const [how, setHow] = useState({ encoding: "", crs: "", coordinates: "", source_layer: "" });
  const [seen, setSeen] = useState(null);
  const [job, setJob] = useState(null);
  const [report, setReport] = useState(null);

  const [look, looking] = useAct(async (chosen, upload = null) => {
    const id = upload ?? (await ask("POST", "uploads", { query: { name: chosen.name }, body: chosen, headers: { "Content-Type": "application/octet-stream" }, patience: PATIENCE })).id;
    setFile({ id, name: chosen.name });
    setSeen(null);
    setSeen(await run("preview-upload", { upload: id, ...said(how) }, { patience: PATIENCE }));
  });
  const take = (event) => {
    const [chosen] = event.target.files ?? event.dataTransfer?.files ?? [];
    if (chosen) look(chosen);
  };
  const put = (name) => (event) => setHow({ ...how, [name]: event.target.value });
  const done = (result) => {
    setJob(null);
    setReport(result);
  };
  return html`
    <button type="button" class="button quiet back" onClick=${onClose}>${icon("back")}${t("layers.back")}</button>
    <section class="form" onDragOver=${(event) => event.preventDefault()} onDrop=${(event) => { event.preventDefault(); take(event); }}>
      <h3>${t("upload")}</h3>
      <div class="row"><label class="button file">${icon("box")}${t("upload.choose")}<input type="file" accept=${KINDS} onChange=${take} /></label>${file && html`<strong class="number">${file.name}</strong>`}</div>
      <p class="small soft">${t("upload.kinds")}</p>
      ${file && html`<form class="card three" onSubmit=${(event) => { event.preventDefault(); look({ name: file.name }, file.id); }}>
        <label class="field"><span>${t("upload.encoding")}</span><select value=${how.encoding} data-encoding onChange=${put("encoding")}><option value="">${t("upload.auto")}</option><option value="gbk">GBK</option><option value="gb18030">GB 18030</option><option value="utf-8">UTF-8</option></select></label>
        <label class="field"><span>${t("upload.crs")}</span><input value=${how.crs} placeholder="EPSG:4547" onInput=${put("crs")} /></label>
        <label class="field"><span>${t("upload.coordinates")}</span><select value=${how.coordinates} onChange=${put("coordinates")}><option value="">${t("upload.asFile")}</option>${["wgs84", "cgcs2000", "gcj02", "bd09"].map((one) => html`<option value=${one} key=${one}>${t(`coordinates.${one}`)}</option>`)}</select></label>
        <button class="button" disabled=${looking.busy}>${t("upload.again")}</button>
      </form>`}
      ${looking.trouble && html`<${Trouble} error=${looking.trouble} />`}
      ${looking.busy && html`<div class="skeleton" role="status" aria-label=${t("upload.reading")}><i></i><i></i></div>`}
      ${seen && html`<${Preview} seen=${seen} />`}
      ${seen && !job && !report && html`<${Into} seen=${seen} layers=${layers} upload=${file.id} how=${how} onJob=${setJob} />`}
      ${job && html`<${JobProgress} id=${job} onDone=${done} onClose=${() => setJob(null)} />`}
      ${report && html`<${Report} report=${report} onOpen=${onDone} />`}
    </section>
  `;
}

const said = (how) => Object.fromEntries(Object.entries(how).filter(([, value]) => value));

function Into({ seen, layers, upload, how, onJob }) {
  const [table] = seen.tables;
  const [values, setValues] = useState({ kind: "new", layer: idOf(seen.file), title: seen.file.replace(/\.[^.]+$/, ""), into: "", mode: "append", key: "", strict: false });
  const put = (name) => (event) => setValues({ ...values, [name]: event.target.type === "checkbox" ? event.target.checked : event.target.value });
  const [send, { busy, trouble }] = useAct(async () => {
    const fresh = values.kind === "new";
    const inputs = {
      upload, ...said(how), layer: fresh ? values.layer : values.into, strict: values.strict, ...(seen.tables.length > 1 ? { source_layer: how.source_layer || table.name } : {}),
      ...(fresh ? { title: values.title, ...(values.key ? { key: values.key } : {}) } : { mode: values.mode }),
    };
    const answer = await ask("POST", "processes/import-layer/execution", { json: { inputs }, headers: { Prefer: "respond-async" } });
    onJob(answer.jobID);
  });
  return html`<form class="card" onSubmit=${(event) => { event.preventDefault(); send(); }}>
    <div class="choice" role="radiogroup" aria-label=${t("into")}>${["new", "old"].map((kind) => html`<label key=${kind}><input type="radio" name="kind" value=${kind} checked=${values.kind === kind} onChange=${put("kind")} />${t(`into.${kind}`)}</label>`)}</div>
    ${values.kind === "new" ? html`<div class="three">
        <label class="field"><span>${t("into.title")}</span><input required maxlength="200" value=${values.title} onInput=${put("title")} /></label>
        <label class="field"><span>${t("into.id")}</span><input required data-layer-id maxlength="51" value=${values.layer} onInput=${put("layer")} /></label>
        <label class="field"><span>${t("into.key")}</span><select value=${values.key} onChange=${put("key")}><option value="">—</option>${table.fields.map(({ name }) => html`<option key=${name}>${name}</option>`)}</select></label></div>`
      : html`<div class="three">
        <label class="field"><span>${t("into.layer")}</span><select required value=${values.into} onChange=${put("into")}><option value="">${t("into.choose")}</option>${layers.map(({ id, title }) => html`<option value=${id} key=${id}>${title} (${id})</option>`)}</select></label>
        <label class="field"><span>${t("into.mode")}</span><select value=${values.mode} onChange=${put("mode")}>${["append", "replace", "update"].map((mode) => html`<option value=${mode} key=${mode}>${t(`mode.${mode}`)}</option>`)}</select></label></div>`}
    <label class="tick"><input type="checkbox" checked=${values.strict} onChange=${put("strict")} />${t("into.strict")}</label>
    ${trouble && html`<${Trouble} error=${trouble} />`}
    <div class="row"><button class="button main" data-import disabled=${busy}>${icon("send")}${t("into.do")}</button></div>
  </form>`;
}

/** An id as the catalogue takes it, from a file's name. */
const idOf = (name) => name.replace(/\.[^.]+$/, "").toLowerCase().replace(/[^a-z0-9\u4e00-\u9fff]+/g, "-").replace(/^-+|-+$/g, "") || "layer";

function Report({ report, onOpen }) {
  return html`<section class="form" aria-label=${t("import.report")} data-report role="status">${report.layers.map((one) => html`
    <div class=${`notice ${one.rejected_count ? "wait" : "good"}`} key=${one.layer}>
      <strong>${own(one.title)} · ${t("import.done", { n: one.inserted + one.updated })}</strong>
      <span>${t("import.counts", { read: one.read, inserted: one.inserted, updated: one.updated, repaired: one.repaired_count, rejected: one.rejected_count })}</span>
      <span class="small">${[one.encoding, one.source_crs].filter(Boolean).join(" · ")}</span>
      ${[...one.rejected, ...one.repaired].slice(0, 50).map((remark, n) => html`<span class="small" key=${n}>${remark.id}: ${own(remark.reason)}</span>`)}
      ${one.warnings.map((text, n) => html`<span class="small" key=${n}>${own(text)}</span>`)}
      <div class="row"><button type="button" class="button main" data-open=${one.layer} onClick=${() => onOpen(one.layer)}>${t("import.open")}</button></div>
    </div>`)}</section>`;
}
