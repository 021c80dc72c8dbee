/** The list of vehicles: the same as on the map, for the eye and the keyboard; only the rows in view are made. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { find, toggleState } from "./feed.js";
import { STATES } from "./fleet.js";
import { fleet, get } from "./store.js";
import { choose } from "./unit.js";
import { age, count, departmentName, heading, kindName, speed, stateName, titleOf } from "./words.js";

/** Height of a row [px], and rows that are made beyond those in view. */
const ROW = 60;
const MORE = 6;

export function List({ state }) {
  return html`
    <section class="list" aria-label=${t("list")}>
      <${Find} state=${state} />
      <${Rows} state=${state} />
    </section>
  `;
}

function Find({ state }) {
  const { find: asked, names, counts, devices, departments } = state;
  return html`
    <div class="list-head" role="search">
      <label class="find">${icon("search")}<span class="hidden-text">${t("find")}</span>
        <input id="find" class="search-field" type="search" value=${asked.words} placeholder=${t(devices.size ? "find.hint" : "find")} onInput=${(event) => find({ words: event.target.value })}
          onKeyDown=${(event) => event.key === "ArrowDown" && (event.preventDefault(), document.getElementById("units")?.focus())} /></label>
      <div class="chips" role="group" aria-label=${t("states")}>
        ${STATES.map((one) => html`<button type="button" class="chip" aria-pressed=${String(asked.states.has(one))} onClick=${() => toggleState(one)} key=${one}><${Sign} state=${one} />${stateName(one)} <b>${count(counts[one] ?? 0)}</b></button>`)}
      </div>
      <div class="selects">
        <label><span class="hidden-text">${t("kind")}</span><select value=${asked.kind} onChange=${(event) => find({ kind: event.target.value })}>
          <option value="">${t("kind.all")}</option>${Object.entries(names?.positions?.kind ?? {}).map(([id, name]) => html`<option value=${id} key=${id}>${name}</option>`)}</select></label>
        ${departments.length > 1 && html`<label><span class="hidden-text">${t("department")}</span><select value=${asked.department} onChange=${(event) => find({ department: event.target.value })}>
          <option value="">${t("department.all")}</option>${departments.map((id) => html`<option value=${id} key=${id}>${departmentName(id)}</option>`)}</select></label>`}
      </div>
    </div>
  `;
}

/** The sign of a state as on the map. */
export const Sign = ({ state }) => html`<i class=${`sign ${state}`} aria-hidden="true"></i>`;

function Rows({ state }) {
  const { shown, chosen, now } = state;
  const body = useRef(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [at, setAt] = useState(0);
  const measure = () => body.current && setView({ top: body.current.scrollTop, height: body.current.clientHeight });
  useEffect(() => {
    const watch = new ResizeObserver(measure);
    if (body.current) watch.observe(body.current);
    return () => watch.disconnect();
  }, [shown.length === 0]);
  useEffect(() => {
    const n = shown.indexOf(chosen);
    if (n >= 0) setAt(n);
  }, [chosen]);
  useLayoutEffect(() => {
    if (!body.current) return;
    const [top, bottom] = [at * ROW, (at + 1) * ROW];
    if (top < body.current.scrollTop) body.current.scrollTop = top;
    else if (bottom > body.current.scrollTop + body.current.clientHeight) body.current.scrollTop = bottom - body.current.clientHeight;
  }, [at]);
  if (fleet.count === 0) return html`<${Nothing} state=${state} />`;
  if (shown.length === 0) return html`<div class="empty">${icon("search")}<p>${t("list.none")}</p><button type="button" class="button" onClick=${() => find({ words: "", states: new Set(), kind: "", department: "" })}>${t("list.clear")}</button></div>`;
  const page = Math.max(1, Math.floor(view.height / ROW) - 1);
  const keys = (event) => {
    const last = shown.length - 1;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: last }[event.key];
    if (to !== undefined) setAt(Math.min(last, Math.max(0, to)));
    else if (event.key === "Enter" || event.key === " ") choose(shown[Math.min(at, last)]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const first = Math.max(0, Math.floor(view.top / ROW) - MORE);
  const rows = shown.slice(first, Math.ceil((view.top + view.height) / ROW) + MORE);
  return html`
    <div class="list-body" ref=${body} id="units" role="listbox" tabindex="0" aria-label=${t("list.label", { count: count(shown.length) })} aria-activedescendant=${`unit-${at}`} onScroll=${measure} onKeyDown=${keys} data-count=${shown.length}>
      <div role="presentation" style=${{ height: `${shown.length * ROW}px`, position: "relative" }}>
        ${rows.map((code, n) => html`<${Unit} key=${code} code=${code} n=${first + n} all=${shown.length} at=${first + n === at} chosen=${code === chosen} now=${now} state=${state} onClick=${() => { setAt(first + n); choose(code); }} />`)}
      </div>
    </div>
  `;
}

function Unit({ code, n, all, at, chosen, now, state, onClick }) {
  const row = fleet.row(code);
  if (!row) return null;
  const plate = state.devices.get(code)?.plate;
  const old = row.state === "stale" || row.state === "offline";
  const alarmed = fleet.alarmed[fleet.at(code)] === 1;
  return html`
    <div role="option" id=${`unit-${n}`} class=${`unit-row ${at ? "at" : ""} ${old ? "old" : ""}`} data-code=${code} aria-selected=${String(chosen)} aria-posinset=${n + 1} aria-setsize=${all}
      style=${{ transform: `translateY(${n * ROW}px)` }} onClick=${onClick}>
      <${Sign} state=${row.state} />
      <span class="unit-name">${titleOf(row)}${alarmed && html`<span class="chip bad">${icon("alert")}${t("unit.alarm")}</span>`}</span>
      <span class="unit-speed">${old ? t("ago", { span: age(row.time ?? row.heard, now) }) : speed(row.speed)}</span>
      <span class="unit-note small soft">${[plate, kindName(row.kind), departmentName(row.department), old ? "" : heading(row.state === "moving" ? row.heading : null)].filter(Boolean).join(" · ")}</span>
      <span class="unit-state small">${stateName(row.state)}</span>
    </div>
  `;
}

/** No vehicle at all: positions are on their way, or there is none yet. */
function Nothing({ state }) {
  if (state.phase === "loading" || (state.link === "connecting" && get().told === 0)) return html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i><i></i><i></i></div>`;
  return html`<div class="empty">${icon("pin")}<h2>${t("empty.title")}</h2><p>${t("empty.text")}</p></div>`;
}
