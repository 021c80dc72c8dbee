/** A parcel at hand: where it comes from, what is wrong with it, its points, and what it collides with. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { Checked } from "./checked.js";
import { checkDraft, choose, clearDraft, drawNew, editOnMap, finishSketch, readPoints, useFor } from "./draft.js";
import { pen } from "./drawing.js";
import { Findings } from "./findings.js";
import { PointsTable } from "./points_table.js";
import { isOfficer, set } from "./state.js";

const KINDS = ".txt,.dat,.csv,.dxf,.zip,.geojson,.json,.gpkg";

export function DraftPanel({ state }) {
  const { draft, sketch, reading, draftTrouble } = state;
  return html`
    <h2>${t("draft")}</h2>
    <${Sources} state=${state} />
    ${sketch?.purpose === "draft" && html`<${Pen} sketch=${sketch} hasShape=${Boolean(draft)} />`}
    ${reading !== null && html`<div class="skeleton" role="status" aria-label=${t("draft.reading", { file: reading })}><i></i><i></i></div>`}
    ${draftTrouble && html`<${DraftTrouble} trouble=${draftTrouble} />`}
    ${draft && html`<${Draft} state=${state} />`}
    ${!draft && !sketch && reading === null && html`<div class="empty">${icon("flag")}<p>${t("draft.empty")}</p></div>`}
  `;
}

function Sources({ state }) {
  const { draft, sketch, pasting } = state;
  const take = (event) => {
    const [file] = event.target.files;
    if (file) readPoints({ file });
    event.target.value = "";
  };
  const drop = (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) readPoints({ file });
  };
  return html`
    <div class="sources" onDragOver=${(event) => event.preventDefault()} onDrop=${drop}>
      <label class="button file">${icon("box")}${t("draft.import")}<input type="file" accept=${KINDS} onChange=${take} /></label>
      <button type="button" class="button" aria-expanded=${String(pasting)} onClick=${() => set({ pasting: !pasting })}>${icon("list")}${t("draft.paste")}</button>
      <button type="button" class="button" onClick=${drawNew} disabled=${sketch?.purpose === "draft" && !draft}>${icon("edit")}${t("draft.draw")}</button>
      ${draft && html`<button type="button" class="button quiet" onClick=${clearDraft}>${t("draft.clear")}</button>`}
      <p class="small soft">${t("draft.kinds")}</p>
    </div>
    ${pasting && html`<${Paste} />`}
  `;
}

function Paste() {
  const send = (event) => {
    event.preventDefault();
    const { text, zone } = Object.fromEntries(new FormData(event.target));
    readPoints({ text }, zone ? { zone: Number(zone) } : {});
  };
  return html`
    <form class="card" onSubmit=${send}>
      <label class="field"><span>${t("draft.paste.text")}</span><textarea name="text" rows="6" required spellcheck="false" placeholder=${t("draft.paste.sample")}></textarea></label>
      <label class="field"><span>${t("draft.paste.zone")} <span class="soft small">${t("optional")}</span></span><input name="zone" type="number" min="13" max="45" inputmode="numeric" /></label>
      <button class="button main">${t("draft.paste.read")}</button>
    </form>
  `;
}

/** A file may not tell its system or encoding: they are asked for, and the file is read again. */
function DraftTrouble({ trouble }) {
  const again = (event) => {
    event.preventDefault();
    const chosen = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value));
    readPoints(trouble.again.source, chosen);
  };
  return html`
    <${Trouble} error=${trouble} />
    ${trouble.again && html`<form class="card two" onSubmit=${again}>
      <label class="field"><span>${t("draft.crs")}</span><input name="crs" placeholder="EPSG:4547" defaultValue=${trouble.again.options.crs ?? ""} /></label>
      <label class="field"><span>${t("draft.encoding")}</span><select name="encoding"><option value="">${t("draft.encoding.auto")}</option><option>gbk</option><option>utf-8</option></select></label>
      <button class="button">${t("draft.again")}</button>
    </form>`}
  `;
}

function Pen({ sketch, hasShape }) {
  return html`
    <div class="card" data-pen=${sketch.ready ? "ready" : ""}>
      <p>${t(hasShape ? "pen.change" : "pen.draw")}</p>
      <div class="row">
        ${!hasShape && html`<button type="button" class="button" onClick=${pen.corner}>${icon("target")}${t("pen.corner")}${sketch.corners > 0 ? ` (${sketch.corners})` : ""}</button>`}
        <button type="button" class="button" disabled=${!sketch.undo} onClick=${pen.undo}>${t("pen.undo")}</button>
        <button type="button" class="button" disabled=${!sketch.redo} onClick=${pen.redo}>${t("pen.redo")}</button>
        <button type="button" class="button main" onClick=${finishSketch}>${t("pen.done")}</button>
      </div>
    </div>
  `;
}

function Draft({ state }) {
  const { draft, use, check, sketch, picked } = state;
  const parcel = draft.parcels[draft.chosen];
  return html`
    <${Findings} draft=${draft} />
    ${draft.parcels.length > 1 && html`<label class="field"><span>${t("draft.parcel", { n: draft.parcels.length })}</span>
      <select value=${draft.chosen} onChange=${(event) => choose(Number(event.target.value))}>
        ${draft.parcels.map((one, n) => html`<option value=${n} key=${n}>${one.number || n + 1} ${one.name}</option>`)}
      </select></label>`}
    ${parcel && html`
      <div class="two">
        <label class="field"><span>${t("use.code")}</span><input value=${use.land_code} maxlength="20" placeholder="0901" data-use onInput=${(event) => useFor({ land_code: event.target.value })} /></label>
        <label class="field"><span>${t("use.scheme")}</span><select value=${use.scheme} onChange=${(event) => useFor({ scheme: event.target.value })}><option value="2023">${t("use.2023")}</option><option value="2011">${t("use.2011")}</option></select></label>
      </div>
      <div class="row">
        ${sketch?.purpose !== "draft" && html`<button type="button" class="button" onClick=${editOnMap}>${icon("edit")}${t("draft.edit")}</button>`}
        ${isOfficer(state.roles) && html`<button type="button" class="button main" data-apply disabled=${check?.busy} onClick=${() => set({ applying: { busy: false, trouble: null } })}>${icon("send")}${t("apply")}</button>`}
      </div>
      <${Checked} check=${check} picked=${picked} names=${state.names} onRetry=${checkDraft} />
      <${PointsTable} parcel=${parcel} key=${`${draft.file}-${draft.chosen}`} />
    `}
  `;
}
