/** The form of a feature beside its shape on the map. */

import { html, icon, iconButton } from "../html.js";
import { t } from "../i18n.js";
import { Trouble } from "../results_panel.js";
import { kindOf } from "../table/cql2.js";
import { shown } from "./edit_actions.js";
import { filledFields } from "./form.js";

export function EditPanel({ edit, layers, actions }) {
  const layer = layers.find((one) => one.id === edit.layer);
  const title = edit.id === null ? t("edit.title.new", { layer: layer.title }) : t("edit.title", { layer: layer.title });
  const save = (event) => {
    event.preventDefault();
    actions.saveEdit();
  };
  return html`
    <section class="card panel edit" aria-label=${title}>
      <header class="panel-head">
        <h2>${title}</h2>
        ${iconButton({ name: "close", label: t("edit.cancel"), onClick: actions.closeEdit, className: "plain" })}
      </header>
      <form class="panel-body" onSubmit=${save}>
        <${Shape} edit=${edit} layer=${layer} actions=${actions} />
        ${!edit.schema && !edit.error && html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i><i></i></div>`}
        ${edit.schema && filledFields(edit.schema).map(([name, property]) => html`<${Field} key=${name} name=${name} property=${property} edit=${edit} actions=${actions} />`)}
        ${edit.error && html`<${Trouble} error=${edit.error} />`}
        <div class="row-buttons ends">
          <button type="submit" class="primary" disabled=${edit.saving || !edit.schema}>${t("edit.save")}</button>
          <button type="button" class="ghost" onClick=${actions.closeEdit}>${t("edit.cancel")}</button>
          ${edit.id !== null && html`<${Delete} edit=${edit} actions=${actions} />`}
        </div>
      </form>
    </section>
  `;
}

function Delete({ edit, actions }) {
  if (!edit.deleting) return html`<button type="button" class="ghost danger" onClick=${() => actions.askDelete(true)}>${icon("trash")}${t("edit.delete")}</button>`;
  return html`
    <div class="confirm" role="alert">
      <span>${t("edit.delete.sure")}</span>
      <button type="button" class="ghost danger" disabled=${edit.saving} onClick=${actions.deleteFeature}>${t("edit.delete")}</button>
      <button type="button" class="ghost" onClick=${() => actions.askDelete(false)}>${t("edit.delete.keep")}</button>
    </div>
  `;
}

/** What can be done with the shape. */
function Shape({ edit, layer, actions }) {
  if (edit.fixed) return html`<p class="hint">${edit.fixed}</p>`;
  const kinds = [["Point", t("edit.kind.point")], ["LineString", t("edit.kind.line")], ["Polygon", t("edit.kind.area")]];
  if (!edit.kind && layer.geometry === "Geometry" && edit.id === null) {
    return html`<div class="choices" role="group" aria-label=${t("edit.kind")}>
      ${kinds.map(([kind, label]) => html`<button key=${kind} type="button" onClick=${() => actions.chooseKind(kind)}>${label}</button>`)}
    </div>`;
  }
  return html`
    <div class="shape">
      <p class="hint">${edit.parts ? t("edit.hint.change") : edit.kind === "Point" ? t("edit.hint.point") : t("edit.hint.draw")}</p>
      <div class="row-buttons">
        ${iconButton({ name: "undo", label: t("edit.undo"), className: "ghost", disabled: !edit.undo, onClick: actions.undoShape })}
        ${iconButton({ name: "redo", label: t("edit.redo"), className: "ghost", disabled: !edit.redo, onClick: actions.redoShape })}
        <button type="button" class="ghost" disabled=${!edit.kind} onClick=${actions.addCorner}>${icon("plus")}${edit.corners ? t("edit.corners", { count: edit.corners }) : t("edit.corner")}</button>
        ${edit.parts > 0 && html`<button type="button" class="ghost" onClick=${actions.addPart}>${icon("edit")}${layer.geometry.startsWith("Multi") ? t("edit.part") : t("edit.again")}</button>`}
      </div>
    </div>
  `;
}

function Field({ name, property, edit, actions }) {
  const value = shown(edit, name, property);
  const kind = kindOf(property);
  const onInput = (event) => actions.setValue(name, event.target.value);
  const options = kind === "boolean" ? [["true", t("value.yes")], ["false", t("value.no")]] : Object.entries(property["x-citymap-domain"] ?? {});
  const type = property.format === "date-time" ? "datetime-local" : property.format === "date" ? "date" : "text";
  return html`
    <label class="field" data-field=${name}>
      <span>${property.title ?? name}${property["x-ogc-unit"] && ` (${property["x-ogc-unit"]})`}</span>
      ${options.length > 0
        ? html`<select value=${value} onChange=${onInput}><option value=""></option>${options.map(([code, meaning]) => html`<option key=${code} value=${code}>${meaning}</option>`)}</select>`
        : html`<input type=${type} inputmode=${kind === "number" ? "decimal" : undefined} value=${value} onInput=${onInput} autocomplete="off" />`}
    </label>
  `;
}
