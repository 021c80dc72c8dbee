/** The open case: how it stands, what may be done, its photos before and after, its history. */

import { html } from "../map/html.js";
import { language, t } from "../map/i18n.js";
import { base } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { GRAVE, inOrder } from "./acts.js";
import { keysOn } from "./keys.js";
import { Countdown, Light } from "./list.js";
import { actions } from "./state.js";
import { actName, moment, roleName } from "./words.js";

/** Photos that come with these acts show what was done. */
const AFTER = new Set(["feedback", "check", "self-handle"]);
const full = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

export function Detail({ state }) {
  const { current, detail, detailTrouble } = state;
  if (!current) return html`<section class="detail none" aria-label=${t("detail")}><div class="empty">${icon("inbox")}<p>${t("detail.none")}</p></div></section>`;
  if (detailTrouble && !detail) return html`<section class="detail" aria-label=${t("detail")}><${Trouble} error=${detailTrouble} onRetry=${() => actions.open(current)} /></section>`;
  if (!detail) return html`<section class="detail" aria-label=${t("detail")}><div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i><i></i></div></section>`;
  const { feature, history } = detail;
  return html`
    <section class="detail" aria-label=${t("detail")} data-case=${detail.code} data-state=${history.state}>
      <${Head} state=${state} />
      <${Acts} allowed=${history.allowed} code=${detail.code} />
      <${Facts} p=${feature.properties} names=${state.names} department=${state.departments?.get(feature.properties.department)} />
      <${Photos} history=${history} />
      <${Similar} found=${state.similar} names=${state.names} />
      <${Cameras} found=${state.cameras} />
      <${Steps} steps=${history.steps} names=${state.names} departments=${state.departments} />
    </section>
  `;
}

function Head({ state }) {
  const { detail, names, now } = state;
  const p = detail.feature.properties;
  return html`
    <header class="detail-head">
      <button type="button" class="button quiet narrow-only" onClick=${actions.close}>${icon("back")}${t("detail.back")}</button>
      <h2 tabindex="-1" id="case-title">${p.title}</h2>
      <div class="row-chips"><${Light} light=${p.light} names=${names} /><span class="chip">${names?.state?.[p.state] ?? p.state}</span>
        ${p.supervised && html`<span class="chip bad">${icon("flag")}${t("supervised")}</span>`}
        <${Countdown} clock=${detail.clocks.by.get(detail.code)} clocks=${detail.clocks} now=${now} /></div>
      ${p.asked_extension !== null && p.asked_extension !== undefined && html`<p class="notice wait">${t("detail.asked", { amount: p.asked_extension, unit: names?.limit_unit?.[p.limit_unit] ?? "" })}</p>`}
    </header>
  `;
}

/** What the server allows this reader now, each with the key that opens it. */
function Acts({ allowed, code }) {
  const acts = inOrder(allowed);
  if (acts.length === 0) return html`<p class="soft acts-none">${t("detail.noActs")}</p>`;
  return html`
    <div class="acts" role="group" aria-label=${t("detail.acts")}>
      ${acts.map((act, n) => html`<button type="button" key=${act} data-act=${act} class=${`button ${n === 0 && !GRAVE.has(act) ? "main" : GRAVE.has(act) ? "danger" : ""}`}
        onClick=${() => actions.begin(act, [code])}>${actName(act)}${n < 9 && keysOn() && html`<kbd aria-hidden="true">${n + 1}</kbd>`}</button>`)}
    </div>
  `;
}

function Facts({ p, names, department }) {
  const rows = [
    ["case", p.code], ["class", [p.class_name, p.condition].filter(Boolean).join(" · ")], ["place", p.place], ["description", p.description],
    ["channel", names?.channel?.[p.channel] ?? p.channel], ["reporter", [p.reporter_name, p.reporter_phone].filter(Boolean).join(" ") || p.reporter],
    ["reported", p.reported_at && full.format(new Date(p.reported_at))], ["department", department ?? p.department], ["deadline", p.deadline && full.format(new Date(p.deadline))],
    ["grid", p.social_grid ?? p.grid], ["accuracy", p.accuracy && t("metres", { n: p.accuracy })], ["offset", p.photo_offset && t("metres", { n: Math.round(p.photo_offset) })],
  ].filter(([, value]) => value);
  return html`<dl class="facts">${rows.map(([name, value]) => html`<div key=${name}><dt>${t(`fact.${name}`)}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function Photos({ history }) {
  if (history.photos.length === 0) return null;
  const after = new Set(history.steps.filter(({ act }) => AFTER.has(act)).flatMap(({ attachments }) => attachments));
  const group = (name, photos) => html`
    <figure><figcaption>${t(`photos.${name}`)}</figcaption>
      ${photos.length === 0 ? html`<p class="soft small none">${t("photos.none")}</p>` : html`<ul>${photos.map((photo, n) => html`<li key=${photo.id}>
        <button type="button" onClick=${() => actions.photo(photo)}><img src=${new URL(`photos/${photo.id}`, base).href} loading="lazy" width=${photo.width} height=${photo.height} alt=${t("photos.alt", { which: t(`photos.${name}`), n: n + 1 })} /></button></li>`)}</ul>`}
    </figure>`;
  return html`<div class="photos" role="group" aria-label=${t("photos")}>
    ${group("before", history.photos.filter(({ id }) => !after.has(id)))}${group("after", history.photos.filter(({ id }) => after.has(id)))}</div>`;
}

function Similar({ found, names }) {
  if (found.length === 0) return null;
  return html`<div class="similar"><h3>${t("similar")}</h3><ul>${found.slice(0, 6).map((one) => html`<li key=${one.case}>
    <button type="button" class="link" onClick=${() => actions.open(one.case)}>${one.title ?? one.case}</button>
    <span class="small soft">${t("similar.about", { metres: Math.round(one.distance), days: Math.max(0, Math.round(one.hours / 24)) })} · ${names?.state?.[one.state] ?? one.state}</span></li>`)}</ul></div>`;
}

function Cameras({ found }) {
  if (found.length === 0) return null;
  return html`<div class="similar cameras"><h3>${t("cameras")}</h3><ul>${found.slice(0, 6).map((one) => html`<li key=${one.id}>
    <a href=${new URL(`collections/cameras/items/${one.id}`, base).href} target="_blank" rel="noopener">${one.name ?? one.code ?? one.id}</a>
    <span class="small soft">${t("metres", { n: Math.round(one.distance) })}${one.sees && html` · <strong>${t("cameras.sees")}</strong>`}</span></li>`)}</ul></div>`;
}

function Steps({ steps, names, departments }) {
  return html`<div class="history"><h3>${t("history")}</h3><ol>
    ${[...steps].reverse().map((step, n) => html`<li key=${steps.length - n}>
      <p><strong>${actName(step.act)}</strong>${step.from_state && step.from_state !== step.to_state && html` <span class="soft small">${names?.state?.[step.from_state]} → ${names?.state?.[step.to_state]}</span>`}</p>
      ${step.reason && html`<p class="reason">${step.reason}</p>`}
      <p class="small soft"><time datetime=${step.at}>${moment(step.at)}</time> · ${step.actor} · ${roleName(step.role)}${step.detail.department && ` · ${t("history.to", { department: departments?.get(step.detail.department) ?? step.detail.department })}`}${step.attachments.length > 0 && ` · ${t("history.photos", { n: step.attachments.length })}`}</p>
    </li>`)}</ol></div>`;
}
