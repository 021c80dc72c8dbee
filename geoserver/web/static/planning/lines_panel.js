/** Red lines by their state; the open one in their place. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { LineDetail } from "./line_detail.js";
import { filterLines, openLine, PAGE, readLines } from "./lines.js";
import { openTab } from "./permalink.js";
import { day, hectares } from "./words.js";

/** Of the states that end well, badly, or wait for somebody. */
const GRADES = { approved: "good", "land-permit": "good", "works-permit": "good", verified: "good", archived: "", returned: "wait", withdrawn: "", revoked: "bad", expired: "bad", replaced: "" };

export function LinesPanel({ state }) {
  if (state.number) return html`<${LineDetail} state=${state} />`;
  const { lines, names } = state;
  const states = names.redlines?.fields.status ?? {};
  return html`
    <h2>${t("lines")}</h2>
    <div class="filters">
      <label class="find">${icon("search")}<span class="hidden-text">${t("lines.find")}</span><input class="search-field" type="search" placeholder=${t("lines.find")} value=${lines.words} onInput=${(event) => filterLines({ words: event.target.value })} /></label>
      <label class="field"><span class="hidden-text">${t("lines.state")}</span><select data-filter="status" value=${lines.status} onChange=${(event) => filterLines({ status: event.target.value })}>
        <option value="">${t("lines.any")}</option>${Object.entries(states).map(([code, name]) => html`<option value=${code} key=${code}>${name}</option>`)}</select></label>
    </div>
    ${lines.trouble && html`<${Trouble} error=${lines.trouble} onRetry=${readLines} />`}
    ${lines.phase === "loading" ? html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i><i></i></div>` : html`<${Rows} lines=${lines} states=${states} />`}
  `;
}

function Rows({ lines, states }) {
  if (lines.rows.length === 0 && !lines.trouble) {
    return html`<div class="empty">${icon("flag")}<p>${t(lines.words || lines.status ? "lines.none.filtered" : "lines.none")}</p>
      <button type="button" class="button main" onClick=${() => openTab("draft")}>${t("lines.none.next")}</button></div>`;
  }
  return html`
    <ul class="cards">${lines.rows.map((row) => html`<li key=${row.number}><button type="button" class="card-open" data-line=${row.number} onClick=${() => openLine(row.number)}>
      <span class="card-head"><strong>${row.name}</strong><${State} status=${row.status} states=${states} /></span>
      <span class="small soft number">${row.number}</span>
      <span class="small soft">${[hectares(row.area / 10_000), row.land_code, t("lines.applied", { day: day(row.applied_on) })].filter(Boolean).join(" · ")}</span>
    </button></li>`)}</ul>
    ${lines.total > PAGE && html`<p class="small soft">${t("lines.more", { total: lines.total, n: PAGE })}</p>`}
  `;
}

export const State = ({ status, states }) => html`<span class=${`chip ${GRADES[status] ?? "wait"}`} data-state=${status}>${states[status] ?? status}</span>`;
