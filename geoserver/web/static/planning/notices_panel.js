/** What is before the public, for everybody. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { base } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { Comments } from "./comments.js";
import { openNotice, readNotices, stateOf } from "./notices.js";
import { openLine } from "./lines.js";
import { openTab } from "./permalink.js";
import { day } from "./words.js";

const GRADES = { open: "good", coming: "wait", over: "" };

export function NoticesPanel({ state }) {
  const { notices, notice } = state;
  const found = notices.rows.find(({ number }) => number === notice);
  if (notice && found) return html`<${Notice} row=${found} state=${state} />`;
  return html`
    <h2>${t("notices")}</h2>
    <p class="soft">${t("notices.about")}</p>
    ${notices.trouble && html`<${Trouble} error=${notices.trouble} onRetry=${readNotices} />`}
    ${notices.phase === "loading" && html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i></div>`}
    ${notices.phase === "ready" && notices.rows.length === 0 && !notices.trouble && html`<div class="empty">${icon("inbox")}<p>${t("notices.none")}</p></div>`}
    <ul class="cards">${notices.rows.map((row) => html`<li key=${row.number}><button type="button" class="card-open" data-notice=${row.number} onClick=${() => openNotice(row.number)}>
      <span class="card-head"><strong>${row.title}</strong><${Period} row=${row} /></span>
      <span class="small soft">${t("notices.period", { begins: day(row.begins), ends: day(row.ends) })}</span></button></li>`)}</ul>
  `;
}

const Period = ({ row }) => {
  const state = stateOf(row);
  return html`<span class=${`chip ${GRADES[state]}`}>${t(`notices.${state}`)}</span>`;
};

function Notice({ row, state }) {
  const kind = state.names.notices?.fields.kind?.[row.kind] ?? row.kind;
  const officer = state.account && row.redline;
  const toLine = () => {
    openTab("lines");
    openLine(row.redline);
  };
  return html`
    <button type="button" class="button quiet back" onClick=${() => openNotice(null)}>${icon("back")}${t("notices.back")}</button>
    <article class="line" data-notice=${row.number}>
      <header><h2 tabindex="-1">${row.title}</h2><p class="row"><span class="number">${row.number}</span><span class="chip">${kind}</span><${Period} row=${row} /></p></header>
      <p>${t("notices.period", { begins: day(row.begins), ends: day(row.ends) })}</p>
      <p class="said-text">${row.text}</p>
      ${row.contact && html`<p><strong>${t("notice.contact")}</strong> ${row.contact}</p>`}
      ${row.summary && html`<section><h3>${t("notice.summary")}</h3><p class="said-text">${row.summary}</p></section>`}
      <p><a class="button" href=${new URL(`notices/${encodeURIComponent(row.number)}`, base).href}>${t("notices.page")}</a></p>
      ${officer && html`<button type="button" class="button" onClick=${toLine}>${t("notices.line", { number: row.redline })}</button>`}
      ${state.executes.includes("moderate-comments") && html`<${Comments} row=${row} key=${row.number} />`}
    </article>
  `;
}
