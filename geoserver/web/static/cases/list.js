/** The list of cases: what waits, or all; filters, lights, countdowns, and acts on several at once. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { shared } from "./acts.js";
import { actions } from "./state.js";
import { LIGHTS, actName, countdown, moment } from "./words.js";

export function List({ state }) {
  const rows = shown(state);
  return html`
    <section class="list" aria-label=${t("list")}>
      <div class="list-head">
        <div class="tabs" role="group" aria-label=${t("list.which")}>
          ${["waiting", "all"].map((tab) => html`<button type="button" aria-pressed=${String(state.tab === tab)} onClick=${() => actions.show(tab)} data-tab=${tab}>${t(`tab.${tab}`)}${tab === "waiting" && state.tab === tab && html` <b class="number">${state.total}</b>`}</button>`)}
        </div>
        <${Filters} state=${state} />
      </div>
      <div class="list-body" tabindex="-1">
        ${state.trouble && !state.ended && html`<${Trouble} error=${state.trouble} onRetry=${actions.refresh} />`}
        ${state.phase === "loading" && html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i><i></i><i></i></div>`}
        ${state.phase === "ready" && !state.trouble && rows.length === 0 && html`<${Empty} state=${state} />`}
        <ul class="rows">${rows.map((row) => html`<${Row} row=${row} state=${state} key=${row.code} />`)}</ul>
        ${state.phase === "ready" && state.total > state.rows.length && html`<p class="small soft more">${t("list.more", { n: state.rows.length, total: state.total })}</p>`}
      </div>
      ${state.chosen.size > 0 && html`<${Batch} state=${state} />`}
    </section>
  `;
}

/** The rows after the filters that the page applies itself. */
function shown({ tab, rows, filters }) {
  if (tab !== "waiting") return rows;
  const words = filters.words.trim().toLowerCase();
  return rows.filter((row) => (!filters.state || row.state === filters.state) && (!words || `${row.title} ${row.code} ${row.place}`.toLowerCase().includes(words)));
}

function Filters({ state }) {
  const { filters, counts, names } = state;
  const light = (name) => {
    const on = filters.lights.includes(name);
    const count = counts.filter((one) => one.light === name).reduce((sum, one) => sum + one.cases, 0);
    const [sign, grade] = LIGHTS[name];
    return html`<button type="button" class=${`chip light ${grade}`} aria-pressed=${String(on)} data-light=${name}
      onClick=${() => actions.filter({ lights: on ? filters.lights.filter((one) => one !== name) : [...filters.lights, name] })}>
      ${icon(sign)}${names?.light?.[name] ?? ""}${state.tab === "waiting" && html` <b class="number">${count}</b>`}</button>`;
  };
  return html`
    <div class="filters">
      <label class="find">${icon("search")}<span class="hidden-text">${t("find")}</span>
        <input id="words" class="search-field" type="search" placeholder=${t("find")} value=${filters.words} onInput=${(event) => actions.filter({ words: event.target.value })} /></label>
      <div class="chips" role="group" aria-label=${t("filter.lights")}>${Object.keys(LIGHTS).map(light)}</div>
      <div class="selects">
        <label><span class="hidden-text">${t("filter.state")}</span>
          <select value=${filters.state} onChange=${(event) => actions.filter({ state: event.target.value })}>
            <option value="">${t("filter.anyState")}</option>
            ${Object.entries(names?.state ?? {}).map(([id, name]) => html`<option value=${id} key=${id}>${name}</option>`)}
          </select></label>
        ${state.tab === "all" && html`<label class="tick"><input type="checkbox" checked=${filters.open} onChange=${(event) => actions.filter({ open: event.target.checked })} />${t("filter.open")}</label>`}
      </div>
    </div>
  `;
}

function Row({ row, state }) {
  const { names, clocks, current, chosen, tab, now } = state;
  return html`
    <li class=${`row ${current === row.code ? "current" : ""}`}>
      ${tab === "waiting" && html`<label class="pick"><input type="checkbox" checked=${chosen.has(row.code)} onChange=${(event) => actions.choose(row.code, event.target.checked)} aria-label=${t("list.choose", { case: row.code })} /></label>`}
      <button type="button" class="row-open" data-code=${row.code} aria-current=${current === row.code ? "true" : undefined} onClick=${() => actions.open(row.code)}>
        <span class="row-title">${row.title}</span>
        <span class="row-chips"><${Light} light=${row.light} names=${names} /><span class="chip">${names?.state?.[row.state] ?? row.state}</span>
          ${row.supervised && html`<span class="chip bad">${icon("flag")}${t("supervised")}</span>`}
          ${row.reports > 1 && html`<span class="chip">${t("reports", { n: row.reports })}</span>`}</span>
        <span class="row-foot"><span class="number">${row.code}</span><${Countdown} clock=${clocks?.by.get(row.code)} clocks=${clocks} now=${now} otherwise=${moment(row.reported_at)} /></span>
      </button>
    </li>
  `;
}

/** A light by its colour, its sign and its name. */
export function Light({ light, names }) {
  if (!light) return null;
  const [sign, grade] = LIGHTS[light];
  return html`<span class=${`chip ${grade}`} data-light=${light}>${icon(sign)}${names?.light?.[light] ?? light}</span>`;
}

export function Countdown({ clock, clocks, now, otherwise = "" }) {
  const found = countdown(clock, clocks, now);
  if (!found) return html`<span class="soft">${otherwise}</span>`;
  return html`<span class=${`countdown ${found.overdue ? "over" : ""}`}>${icon(found.stands ? "pause" : "clock")}${found.said}${found.stands && html`<span class="hidden-text">${t("clock.stands")}</span>`}</span>`;
}

function Empty({ state }) {
  const filtered = state.filters.lights.length > 0 || state.filters.state || state.filters.words;
  if (filtered) return html`<div class="empty">${icon("search")}<p>${t("empty.filtered")}</p><button type="button" class="button" onClick=${() => actions.filter({ lights: [], state: "", words: "" })}>${t("empty.clear")}</button></div>`;
  if (state.tab === "all") return html`<div class="empty">${icon("inbox")}<p>${t("empty.all")}</p></div>`;
  return html`<div class="empty">${icon("check")}<h2>${t("empty.done")}</h2><p>${t("empty.done.text")}</p><button type="button" class="button" onClick=${() => actions.show("all")}>${t("tab.all")}</button></div>`;
}

function Batch({ state }) {
  const codes = [...state.chosen];
  const acts = shared(state.rows.filter((row) => state.chosen.has(row.code)));
  return html`
    <div class="batch" role="group" aria-label=${t("batch")}>
      <strong>${t("batch.chosen", { n: codes.length })}</strong>
      ${acts.length === 0 && html`<span class="small">${t("batch.none")}</span>`}
      ${acts.map((act) => html`<button type="button" class="button" data-act=${act} onClick=${() => actions.begin(act, codes)} key=${act}>${actName(act)}</button>`)}
      <button type="button" class="button quiet" onClick=${actions.chooseNone}>${t("batch.clear")}</button>
    </div>
  `;
}
