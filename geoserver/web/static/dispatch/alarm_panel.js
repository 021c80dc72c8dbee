/** Alarms that wait, the newest first, each with what may be done with it. */

import { useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { base } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { acknowledge, beginAlarm, cancelAlarm, GRAVE, handle, makeCase, readAlarms } from "./alarms.js";
import { sendTo } from "./send.js";
import { set } from "./store.js";
import { choose } from "./unit.js";
import { age, moment, named } from "./words.js";

export function AlarmPanel({ state }) {
  const { alarms, alarmTrouble } = state;
  const [only, setOnly] = useState("");
  if (alarmTrouble && !alarms) return html`<${Trouble} error=${alarmTrouble} onRetry=${readAlarms} />`;
  if (!alarms) return html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i></div>`;
  const shown = alarms.filter(({ state: at }) => !only || at === only);
  const count = (at) => alarms.filter((one) => one.state === at).length;
  return html`
    ${alarmTrouble && html`<${Trouble} error=${alarmTrouble} onRetry=${readAlarms} />`}
    <div class="chips" role="group" aria-label=${t("alarm.states")}>
      ${["", "new", "acknowledged", "assigned"].map((at) => html`<button type="button" class="chip" aria-pressed=${String(only === at)} onClick=${() => setOnly(at)}>${at ? named("alarms", "state", at) : t("alarm.all")} <b>${at ? count(at) : alarms.length}</b></button>`)}
    </div>
    ${shown.length === 0 ? html`<div class="empty">${icon("check")}<h3>${t("alarm.none")}</h3><p>${t("alarm.none.text")}</p></div>`
      : html`<ul class="cards">${shown.map((alarm) => html`<${Alarm} key=${alarm.key} alarm=${alarm} state=${state} />`)}</ul>`}
  `;
}

function look(alarm) {
  set({ alarmed: alarm.place, open: "map" });
  choose(alarm.device, false);
  if (alarm.place) set({ goTo: { place: alarm.place } });
}

function Alarm({ alarm, state }) {
  const form = state.alarmForm?.key === alarm.key ? state.alarmForm : null;
  const fresh = alarm.state === "new";
  const measured = typeof alarm.value === "number" && typeof alarm.most === "number" ? t("alarm.value", { value: Math.round(alarm.value), most: Math.round(alarm.most) }) : "";
  return html`
    <li class=${`card alarm ${fresh ? "fresh" : ""}`} data-alarm=${alarm.key} data-state=${alarm.state}>
      <button type="button" class="card-open" onClick=${() => look(alarm)}>
        <span class="card-title">${icon(GRAVE.has(alarm.kind) ? "stop" : "alert")}<b>${named("alarms", "kind", alarm.kind)}</b> ${alarm.name ?? alarm.device}</span>
        <span class="small soft"><time datetime=${alarm.began}>${moment(alarm.began)}</time> · ${t("ago", { span: age(alarm.began, state.now) })}${alarm.ended ? ` · ${t("alarm.over")}` : ""}${alarm.late ? ` · ${t("alarm.late")}` : ""}</span>
        ${(alarm.detail || measured) && html`<span class="small">${[alarm.detail, measured].filter(Boolean).join(" · ")}</span>`}
      </button>
      <p class="row-chips"><span class=${`chip ${fresh ? "bad" : "wait"}`}>${named("alarms", "state", alarm.state)}</span>
        ${alarm.assignee && html`<span class="chip">${icon("person")}${alarm.assignee}</span>`}
        ${alarm.case_id && html`<a href=${new URL(`cases#case=${encodeURIComponent(alarm.case_id)}`, base).href}>${t("alarm.case", { case: alarm.case_id })}</a>`}</p>
      <div class="row" role="group" aria-label=${t("alarm.acts")}>
        ${state.may.command && html`
          ${fresh && html`<button type="button" class="button main" data-act="acknowledge" onClick=${() => acknowledge(alarm)}>${t("alarm.acknowledge")}</button>`}
          ${alarm.place && html`<button type="button" class="button" data-act="nearest" onClick=${() => sendTo(alarm.place)}>${t("alarm.nearest")}</button>`}
          <button type="button" class="button" data-act="assign" onClick=${() => beginAlarm(alarm, "assign")}>${t("alarm.assign")}</button>
          ${state.may.cases && !alarm.case_id && html`<button type="button" class="button" data-act="case" onClick=${() => beginAlarm(alarm, "case")}>${t("alarm.toCase")}</button>`}
          <button type="button" class="button" data-act="close" onClick=${() => beginAlarm(alarm, "close")}>${t("alarm.close")}</button>`}
      </div>
      ${form && html`<${Form} alarm=${alarm} form=${form} classes=${state.classes} account=${state.account} />`}
    </li>
  `;
}

/** Who is to do it, what case it becomes, or what was found: by the act that was begun. */
function Form({ alarm, form, classes, account }) {
  const [first, setFirst] = useState(form.act === "assign" ? alarm.assignee ?? account ?? "" : "");
  const [words, setWords] = useState("");
  const submit = (event) => {
    event.preventDefault();
    if (form.act === "assign") handle(alarm, { state: "assigned", assignee: first.trim() });
    else if (form.act === "case") makeCase(alarm, first, words.trim());
    else handle(alarm, { state: "closed", ...(words.trim() ? { note: words.trim() } : {}) });
  };
  const groups = Map.groupBy ? Map.groupBy(classes ?? [], ({ group }) => group) : new Map([["", classes ?? []]]);
  if (form.act === "look") return form.trouble && html`<${Trouble} error=${form.trouble} />`;
  return html`<form class="form" onSubmit=${submit}>
    ${form.trouble && html`<${Trouble} error=${form.trouble} />`}
    ${form.act === "assign" && html`<label class="field"><span>${t("alarm.assignee")}</span><input required maxlength="100" value=${first} onInput=${(event) => setFirst(event.target.value)} /></label>`}
    ${form.act === "case" && html`<label class="field"><span>${t("alarm.class")}</span><select required value=${first} onChange=${(event) => setFirst(event.target.value)}>
      <option value="">${t(classes ? "alarm.class.choose" : "loading")}</option>
      ${[...groups].map(([group, all]) => html`<optgroup label=${group} key=${group}>${all.map(({ id, name }) => html`<option value=${id} key=${id}>${name}</option>`)}</optgroup>`)}</select></label>`}
    ${form.act !== "assign" && html`<label class="field"><span>${t(form.act === "case" ? "alarm.description" : "alarm.note")} <span class="soft">${t("optional")}</span></span><textarea maxlength="1000" value=${words} onInput=${(event) => setWords(event.target.value)}></textarea></label>`}
    <div class="row"><button type="submit" class="button main" disabled=${form.busy}>${t(`alarm.do.${form.act}`)}</button><button type="button" class="button" onClick=${cancelAlarm}>${t("cancel")}</button></div></form>`;
}
