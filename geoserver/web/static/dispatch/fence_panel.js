/** Fences and routes: the list, and the editor with shape, rule and calendar. */

import { useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { beginFence, closeFence, deleteFence, departmentOf, editFence, NUMBERS, readFences, saveFence, setFence, setRadius, WATCHES } from "./fences.js";
import { here } from "./map_pane.js";
import { cornerAt, pen } from "./sketching.js";
import { set } from "./store.js";
import { departmentName, length, named } from "./words.js";

const KINDS = [["Polygon", "box"], ["Circle", "target"], ["LineString", "route"]];
const CALENDARS = ["daily 00:00-24:00", "Mon-Fri 07:00-19:00", "Mon-Sat 06:00-22:00", "daily 22:00-06:00"];
const UNITS = { speed_limit: "km/h", stay: "s", most: "", dwell: "s", width: "m", hysteresis: "m" };

export function FencePanel({ state }) {
  const { fences, fence, fenceTrouble, may } = state;
  if (fence) return html`<${Editor} fence=${fence} state=${state} key=${fence.id ?? "new"} />`;
  if (fenceTrouble && !fences) return html`<${Trouble} error=${fenceTrouble} onRetry=${readFences} />`;
  if (!fences) return html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i></div>`;
  return html`
    ${fenceTrouble && html`<${Trouble} error=${fenceTrouble} onRetry=${readFences} />`}
    ${may.fences && html`<div class="row" role="group" aria-label=${t("fence.draw")}>${KINDS.map(([kind, sign]) => html`<button type="button" class="button" data-draw=${kind} onClick=${() => beginFence(kind)}>${icon(sign)}${t(`fence.draw.${kind}`)}</button>`)}</div>`}
    ${fences.length === 0 ? html`<div class="empty">${icon("box")}<h3>${t("fence.none")}</h3><p>${t(may.fences ? "fence.none.text" : "fence.none.read")}</p></div>`
      : html`<ul class="cards">${fences.map(({ id, geometry, properties: p }) => html`
        <li class="card" key=${id} data-fence=${id}><span class="card-title">${icon(geometry.type.endsWith("Polygon") ? "box" : "route")}<b>${p.name || t("fence.unnamed")}</b>${p.enabled === false && html`<span class="chip">${t("fence.off")}</span>`}</span>
          <span class="small soft">${[(p.watch ?? []).map((one) => named("alarms", "kind", one)).join("、"), p.calendar].filter(Boolean).join(" · ")}</span>
          <div class="row"><button type="button" class="button" onClick=${() => set({ goTo: { place: middle(geometry) }, open: "map" })}>${t("fence.show")}</button>
          ${may.fences && html`<button type="button" class="button" data-act="edit" onClick=${() => editFence(id)}>${icon("edit")}${t("fence.edit")}</button>`}</div></li>`)}</ul>`}
  `;
}

function middle({ coordinates }) {
  const corners = coordinates.flat(Infinity);
  const mean = (from) => corners.filter((_, n) => n % 2 === from).reduce((sum, one) => sum + one, 0) / (corners.length / 2);
  return [mean(0), mean(1)];
}

function Editor({ fence, state }) {
  const { values } = fence;
  const [sure, setSure] = useState(false);
  const submit = (event) => {
    event.preventDefault();
    saveFence();
  };
  const watches = WATCHES[fence.kind === "LineString" ? "LineString" : "Polygon"];
  const list = (name, one) => (values[name] ?? []).includes(one) ? values[name].filter((other) => other !== one) : [...(values[name] ?? []), one];
  const numbers = Object.entries(NUMBERS).filter(([name, wanting]) => (name === "width" && fence.kind === "LineString") || wanting.some((one) => values.watch.includes(one)));
  return html`<form class="form" onSubmit=${submit} aria-label=${t("fence.editor")}>
    <h3>${t(fence.id === null ? `fence.draw.${fence.kind}` : "fence.edit")}</h3>
    <${Shape} fence=${fence} picking=${state.picking} />
    <label class="field"><span>${t("fence.name")}</span><input required maxlength="100" value=${values.name ?? ""} onInput=${(event) => setFence({ name: event.target.value })} /></label>
    <fieldset class="field"><legend>${t("fence.watch")}</legend><div class="choice">${watches.map((one) => html`<label key=${one}><input type="checkbox" checked=${values.watch.includes(one)} onChange=${() => setFence({ watch: list("watch", one) })} />${named("alarms", "kind", one)}</label>`)}</div></fieldset>
    ${numbers.map(([name]) => html`<label class="field" key=${name}><span>${t(`fence.${name}`)}${UNITS[name] && ` [${UNITS[name]}]`}</span><input type="number" min="0" step="any" required=${name === "speed_limit" || name === "most"} value=${values[name] ?? ""} onInput=${(event) => setFence({ [name]: event.target.value === "" ? null : Number(event.target.value) })} /></label>`)}
    <fieldset class="field"><legend>${t("fence.kinds")}</legend><div class="chips">${Object.entries(state.names.positions.kind).map(([id, name]) => html`<button type="button" class="chip" key=${id} aria-pressed=${String((values.kinds ?? []).includes(id))} onClick=${() => setFence({ kinds: list("kinds", id) })}>${name}</button>`)}</div></fieldset>
    ${state.departments.length > 0 && html`<label class="field"><span>${t("department")}</span><select value=${departmentOf(fence) ?? ""} onChange=${(event) => setFence({ department: event.target.value || null })}>
      <option value="">${t("department.all")}</option>${state.departments.map((one) => html`<option value=${one} key=${one}>${departmentName(one)}</option>`)}</select></label>`}
    <label class="field"><span>${t("fence.devices")}</span><input value=${(values.devices ?? []).join(", ")} placeholder=${t("fence.devices.hint")} onChange=${(event) => setFence({ devices: event.target.value.split(/[\s,，、]+/).filter(Boolean) })} /></label>
    <label class="field"><span>${t("fence.calendar")}</span><input list="calendars" value=${values.calendar ?? ""} placeholder=${t("fence.calendar.hint")} onInput=${(event) => setFence({ calendar: event.target.value })} /></label>
    <datalist id="calendars">${CALENDARS.map((one) => html`<option value=${one}></option>`)}</datalist>
    <label class="tick"><input type="checkbox" checked=${values.enabled !== false} onChange=${(event) => setFence({ enabled: event.target.checked })} />${t("fence.enabled")}</label>
    ${fence.trouble && html`<${Trouble} error=${fence.trouble} />`}
    <div class="row"><button type="submit" class="button main" data-act="save" disabled=${fence.busy}>${t("fence.save")}</button><button type="button" class="button" onClick=${closeFence}>${t("cancel")}</button>
      ${fence.id !== null && (sure ? html`<button type="button" class="button danger" data-act="delete-sure" disabled=${fence.busy} onClick=${deleteFence}>${t("fence.delete.sure")}</button>` : html`<button type="button" class="button danger" data-act="delete" onClick=${() => setSure(true)}>${t("fence.delete")}</button>`)}</div></form>`;
}

/** How the shape is drawn, by pointer and by keyboard. */
function Shape({ fence, picking }) {
  if (fence.kind === "Circle") {
    return html`<div class="row"><button type="button" class="button" aria-pressed=${String(picking === "centre")} onClick=${() => set({ picking: "centre", open: "map" })}>${icon("pin")}${t(fence.centre ? "fence.centre.again" : "fence.centre")}</button></div>
      <label class="field"><span>${t("fence.radius", { length: length(fence.radius) })}</span><input type="range" min="50" max="5000" step="50" value=${fence.radius} onInput=${(event) => setRadius(Number(event.target.value))} /></label>`;
  }
  return html`<p class="small soft">${t(fence.kind === "LineString" ? "fence.how.line" : "fence.how.area")}</p>
    <div class="row"><button type="button" class="button" onClick=${() => pen.sketch?.undo()}>${t("fence.undo")}</button>
      <button type="button" class="button" data-act="corner" onClick=${() => cornerAt(here.map.getCenter())}>${t("fence.corner")}</button></div>`;
}
