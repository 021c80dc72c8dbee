/** Nearest and send: where to, who could be there when and why, the words, and off it goes. */

import { useEffect, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { dispatch, findUnits, pick, preview, readCases, sendToCase } from "./send.js";
import { patch } from "./store.js";
import { length, named, span, time } from "./words.js";

export function SendPanel({ state }) {
  const { send, cases } = state;
  useEffect(() => {
    if (!cases) readCases();
  }, []);
  return html`
    <div class="steps">
      <h3>${t("send.where")}</h3>
      <div class="row"><button type="button" class="button" data-act="pick" onClick=${() => pick("place")}>${icon("pin")}${t("send.pick")}</button>
        ${send.point && html`<span class="chip good">${send.case ? send.case.title : t("send.at", { lon: send.point[0].toFixed(5), lat: send.point[1].toFixed(5) })}</span>`}</div>
      <${Cases} cases=${cases} chosen=${send.case?.code} />
      <h3>${t("send.who")}</h3>
      <${Wants} send=${send} names=${state.names} />
      ${send.trouble && html`<${Trouble} error=${send.trouble} onRetry=${findUnits} />`}
      ${send.busy && !send.found && html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i></div>`}
      ${send.found && html`<${Candidates} send=${send} />`}
      ${send.found && send.unit && state.may.command && html`<${Task} send=${send} key=${send.case?.code ?? send.point.join()} />`}
    </div>
  `;
}

function Cases({ cases, chosen }) {
  if (!cases) return html`<p class="soft small">${t("loading")}</p>`;
  return html`<details class="cases" open=${Boolean(chosen)}><summary>${t("send.cases", { count: cases.length })}</summary>
    <label class="field"><span class="hidden-text">${t("send.findCase")}</span><input type="search" placeholder=${t("send.findCase")} onChange=${(event) => readCases(event.target.value)} /></label>
    ${cases.length === 0 ? html`<p class="soft small">${t("send.noCases")}</p>` : html`<ul>${cases.map((one) => html`<li key=${one.code}>
      <button type="button" class="link" data-case=${one.code} aria-pressed=${String(one.code === chosen)} onClick=${() => sendToCase(one)}>${one.title || one.code}</button> <span class="small soft">${one.code}</span></li>`)}</ul>`}</details>`;
}

function Wants({ send, names }) {
  const toggle = (kind) => patch("send", { kinds: send.kinds.includes(kind) ? send.kinds.filter((one) => one !== kind) : [...send.kinds, kind] });
  return html`
    <div class="chips" role="group" aria-label=${t("kind")}>${Object.entries(names?.positions?.kind ?? {}).map(([id, name]) => html`<button type="button" class="chip" key=${id} aria-pressed=${String(send.kinds.includes(id))} onClick=${() => toggle(id)}>${name}</button>`)}</div>
    <label class="field"><span>${t("send.skills")} <span class="soft">${t("optional")}</span></span><input value=${send.skills} placeholder=${t("send.skills.hint")} onInput=${(event) => patch("send", { skills: event.target.value })} /></label>
    <label class="tick"><input type="checkbox" checked=${send.free} onChange=${(event) => patch("send", { free: event.target.checked })} />${t("send.free")}</label>
    <div class="row"><button type="button" class="button main" data-act="find" disabled=${!send.point || send.busy} onClick=${findUnits}>${t("send.find")}</button></div>
  `;
}

function Candidates({ send }) {
  const { units, left_out: left } = send.found;
  const reasons = Object.entries(left).map(([reason, count]) => t("send.leftOut", { count, reason: t(`reason.${reason}`) }));
  return html`
    ${units.length === 0 ? html`<div class="empty">${icon("search")}<h3>${t("send.nobody")}</h3><p>${t("send.nobody.text")}</p></div>` : html`
    <div class="cards" role="radiogroup" aria-label=${t("send.candidates")}>${units.map((unit, n) => html`
      <label class=${`card candidate ${unit.device === send.unit ? "chosen" : ""}`} key=${unit.device} data-candidate=${unit.device}>
        <input type="radio" name="candidate" checked=${unit.device === send.unit} onChange=${() => preview(unit.device)} />
        <span class="rank" aria-hidden="true">${n + 1}</span>
        <span><b>${unit.name}</b> <span class="small soft">${named("positions", "kind", unit.kind)}</span><br />
          <span class="eta">${t("send.eta", { span: span(unit.seconds), time: time(unit.eta) })}</span> · ${length(unit.length)}<br />
          <span class="small soft">${[unit.on_duty ? t("why.duty") : t("why.offDuty"), t("why.load", { tasks: unit.tasks, capacity: unit.capacity }), t("why.age", { span: span(unit.age) }), ...unit.skills].join(" · ")}</span></span>
      </label>`)}</div>`}
    ${reasons.length > 0 && html`<p class="small soft">${reasons.join("；")}</p>`}
  `;
}

function Task({ send }) {
  const [text, setText] = useState(send.case?.title ?? "");
  const [urgent, setUrgent] = useState(false);
  const unit = send.found.units.find(({ device }) => device === send.unit);
  const submit = (event) => {
    event.preventDefault();
    dispatch(text.trim(), urgent);
  };
  return html`<form class="form send-form" onSubmit=${submit}>
    <label class="field"><span>${t("send.words")}</span><textarea required maxlength="300" value=${text} placeholder=${t("send.words.hint")} onInput=${(event) => setText(event.target.value)}></textarea></label>
    <label class="tick"><input type="checkbox" checked=${urgent} onChange=${(event) => setUrgent(event.target.checked)} />${t("urgent")}</label>
    <button type="submit" class="button main wide" data-act="send" disabled=${send.busy}>${icon("send")}${t("send.go", { name: unit?.name ?? send.unit })}</button></form>`;
}
