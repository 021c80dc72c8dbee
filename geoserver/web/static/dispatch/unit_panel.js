/** The chosen vehicle: how it is, what may be done with it, what its terminal was told and answered. */

import { useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { Sign } from "./list.js";
import { beginReplay } from "./replay.js";
import { fleet, set } from "./store.js";
import { choose, endShare, followUnit, locate, sendText, share } from "./unit.js";
import { age, departmentName, heading, kindName, moment, speed, stateName, titleOf } from "./words.js";

const HOURS = [1, 2, 8, 24, 72];

export function UnitPanel({ state }) {
  const { chosen, now } = state;
  const row = fleet.row(chosen);
  const old = row?.state === "stale" || row?.state === "offline";
  return html`
    <section class="unit" aria-label=${t("unit")} data-unit=${chosen}>
      <header class="unit-head"><h2>${row && html`<${Sign} state=${row.state} />`}${titleOf(row) || chosen}</h2>
        ${row && html`<span class=${`unit-now ${old ? "old" : ""}`}><b>${stateName(row.state)}</b> ${old ? t("ago", { span: age(row.time ?? row.heard, now) }) : `${speed(row.speed)} ${heading(row.heading)}`}</span>`}
        <button type="button" class="button quiet round" aria-expanded=${String(state.unitOpen)} onClick=${() => set({ unitOpen: !state.unitOpen })} aria-label=${t(state.unitOpen ? "unit.less" : "unit.more")} title=${t(state.unitOpen ? "unit.less" : "unit.more")}>${icon(state.unitOpen ? "up" : "down")}</button>
        <button type="button" class="button quiet round" onClick=${() => choose(null)} aria-label=${t("close")} title=${t("close")}>${icon("close")}</button></header>
      ${!row && html`<p class="soft">${t("unit.unseen")}</p>`}
      ${state.unitOpen && html`<${More} state=${state} row=${row} />`}
    </section>
  `;
}

/** Its facts, what may be done, and the forms of that. */
function More({ state, row }) {
  const { chosen, unit, may, devices } = state;
  const [form, setForm] = useState(null);
  const device = devices.get(chosen);
  const toggle = (name) => setForm(form === name ? null : name);
  return html`
      ${row && html`
        <dl class="facts">${[["plate", device?.plate], ["kind", kindName(row.kind)], ["department", departmentName(row.department)], ["code", row.device], ["fix", moment(row.time)], ["heard", moment(row.heard)], ["skills", device?.skills?.join("、")], ["duty", device?.duty]]
          .filter(([, value]) => value).map(([name, value]) => html`<div key=${name}><dt>${t(`fact.${name}`)}</dt><dd>${value}</dd></div>`)}</dl>`}
      <div class="row" role="group" aria-label=${t("unit.acts")}>
        <button type="button" class="button" aria-pressed=${String(state.following)} onClick=${() => followUnit(!state.following)}>${icon("target")}${t("unit.follow")}</button>
        <button type="button" class="button" data-act="replay" onClick=${() => beginReplay([chosen])}>${icon("clock")}${t("unit.replay")}</button>
        ${may.command && html`<button type="button" class="button" data-act="locate" disabled=${unit?.busy === "locate"} onClick=${() => locate(chosen)}>${icon("pin")}${t("unit.locate")}</button>
        <button type="button" class="button" data-act="text" aria-expanded=${String(form === "text")} onClick=${() => toggle("text")}>${icon("text")}${t("unit.text")}</button>
        <button type="button" class="button" data-act="share" aria-expanded=${String(form === "share")} onClick=${() => toggle("share")}>${icon("share")}${t("unit.share")}</button>`}
      </div>
      ${unit?.trouble && html`<${Trouble} error=${unit.trouble} />`}
      ${form === "text" && html`<${TextForm} device=${chosen} busy=${unit?.busy === "text"} done=${() => setForm(null)} />`}
      ${form === "share" && html`<${ShareForm} device=${chosen} unit=${unit} />`}
      <${Commands} commands=${unit?.commands} />
  `;
}

function TextForm({ device, busy, done }) {
  const [text, setText] = useState("");
  const [urgent, setUrgent] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    if (text.trim() && (await sendText(device, text.trim(), urgent))) done();
  };
  return html`<form class="form" onSubmit=${submit}>
    <label class="field"><span>${t("text.words")}</span><textarea maxlength="500" required value=${text} onInput=${(event) => setText(event.target.value)}></textarea></label>
    <label class="tick"><input type="checkbox" checked=${urgent} onChange=${(event) => setUrgent(event.target.checked)} />${t("urgent")}</label>
    <button type="submit" class="button main" disabled=${busy}>${t("text.send")}</button></form>`;
}

function ShareForm({ device, unit }) {
  const [hours, setHours] = useState(2);
  const [note, setNote] = useState("");
  const submit = (event) => {
    event.preventDefault();
    share(device, hours, note.trim());
  };
  return html`<form class="form" onSubmit=${submit}>
    <p class="small soft">${t("share.about")}</p>
    <label class="field"><span>${t("share.hours")}</span><select value=${hours} onChange=${(event) => setHours(Number(event.target.value))}>${HOURS.map((one) => html`<option value=${one}>${t("hours", { value: one })}</option>`)}</select></label>
    <label class="field"><span>${t("share.note")}</span><input maxlength="200" value=${note} onInput=${(event) => setNote(event.target.value)} /></label>
    <button type="submit" class="button main" disabled=${unit?.busy === "share"}>${t("share.make")}</button>
    ${unit?.link && html`<div class="notice good" role="status"><strong>${t("share.made", { until: moment(unit.link.expires) })}</strong>
      <input class="search-field" readonly aria-label=${t("share.link")} value=${unit.link.link} onFocus=${(event) => event.target.select()} />
      <button type="button" class="button" onClick=${() => navigator.clipboard?.writeText(unit.link.link)}>${t("share.copy")}</button></div>`}
    ${unit?.shares?.length > 0 && html`<ul class="shares">${unit.shares.map((one) => html`<li key=${one.id}><span>${one.note || t("share.unnamed")}<br /><span class="small soft">${t("share.until", { until: moment(one.expires), looks: one.looks })}</span></span>
      <button type="button" class="button danger" onClick=${() => endShare(device, one.id)}>${t("share.end")}</button></li>`)}</ul>`}</form>`;
}

/** What became of a command: waiting, sent, done, or why not. */
function resultOf({ sent, answered, result }) {
  if (!answered) return sent ? ["wait", t("command.sent")] : ["wait", t("command.waiting")];
  return result === 0 || result === null ? ["good", t("command.done")] : ["bad", t("command.failed", { reason: t(`command.result.${Math.min(3, result)}`) })];
}

function Commands({ commands }) {
  if (!commands || commands.length === 0) return null;
  return html`<details class="commands" open><summary>${t("commands", { count: commands.length })}</summary><ul>
    ${commands.slice(0, 8).map((one) => {
      const [grade, words] = resultOf(one);
      return html`<li key=${one.id} data-command=${one.kind}><span>${one.words.text ?? t(one.kind === "locate" ? "command.locate" : "command.other", { kind: one.kind })}<br /><span class="small soft"><time datetime=${one.made}>${moment(one.made)}</time> · ${one.made_by}</span>${one.answer && html`<br /><span class="small">${Object.entries(one.answer).map(([id, value]) => `${id} = ${value}`).join(" · ")}</span>`}</span>
        <span class=${`chip ${grade}`}>${words}</span></li>`;
    })}</ul></details>`;
}
