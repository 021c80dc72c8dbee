/** What is played again: which vehicles, from when to when. */

import { useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { TRACK_COLOURS } from "./map_layers.js";
import { beginReplay, closeReplay, readReplay, seek, setReplay, toggleUnit } from "./replay.js";
import { fleet, set } from "./store.js";
import { localInput, moment, span, titleOf } from "./words.js";

const HOUR = 3_600_000;
const LAST = [["hour", HOUR], ["shift", 8 * HOUR], ["day", 24 * HOUR]];

export function ReplayPanel({ state }) {
  const { replay } = state;
  if (!replay) return html`<div class="empty">${icon("clock")}<h3>${t("replay.none")}</h3><p>${t("replay.none.text")}</p><button type="button" class="button main" data-act="begin" onClick=${() => beginReplay()}>${t("replay.begin")}</button></div>`;
  const submit = (event) => {
    event.preventDefault();
    readReplay();
  };
  const ends = (name) => (event) => event.target.value && setReplay({ [name]: new Date(event.target.value).getTime() });
  return html`
    <form class="form" onSubmit=${submit}>
      <${Units} replay=${replay} shown=${state.shown} />
      <div class="chips" role="group" aria-label=${t("replay.last")}>${LAST.map(([name, back]) => html`<button type="button" class="chip" aria-pressed=${String(Math.round(replay.end - replay.begin) === back)} onClick=${() => setReplay({ begin: Date.now() - back, end: Date.now() })}>${t(`replay.${name}`)}</button>`)}</div>
      <div class="pair"><label class="field"><span>${t("replay.from")}</span><input type="datetime-local" step="1" value=${localInput(replay.begin)} onChange=${ends("begin")} /></label>
      <label class="field"><span>${t("replay.to")}</span><input type="datetime-local" step="1" value=${localInput(replay.end)} onChange=${ends("end")} /></label></div>
      ${replay.trouble && html`<${Trouble} error=${replay.trouble} />`}
      <div class="row"><button type="submit" class="button main" data-act="load" disabled=${replay.busy}>${t(replay.busy ? "loading" : "replay.load")}</button>
        <button type="button" class="button" data-act="leave" onClick=${closeReplay}>${t("replay.leave")}</button></div>
    </form>
    ${replay.busy && html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i></div>`}
    ${replay.empty && html`<div class="empty">${icon("search")}<h3>${t("replay.empty")}</h3><p>${t("replay.cure")}</p></div>`}
    ${replay.data && !replay.empty && html`<${Events} replay=${replay} />`}
  `;
}

function Units({ replay, shown }) {
  const [words, setWords] = useState("");
  const found = words ? shown.filter((code) => !replay.devices.includes(code) && `${titleOf(fleet.row(code))} ${code}`.toLowerCase().includes(words.toLowerCase())).slice(0, 6) : [];
  return html`<fieldset class="field"><legend>${t("replay.units")}</legend>
    ${replay.devices.length > 0 && html`<ul class="chips">${replay.devices.map((code, n) => html`<li key=${code} class="chip track"><i style=${{ background: TRACK_COLOURS[n % TRACK_COLOURS.length] }} aria-hidden="true"></i>${titleOf(fleet.row(code)) || code}
      <button type="button" onClick=${() => toggleUnit(code)} aria-label=${t("replay.remove", { name: titleOf(fleet.row(code)) || code })}>${icon("close")}</button></li>`)}</ul>`}
    <label><span class="hidden-text">${t("replay.add")}</span><input type="search" placeholder=${t("replay.add")} value=${words} onInput=${(event) => setWords(event.target.value)} /></label>
    ${found.length > 0 && html`<ul class="found">${found.map((code) => html`<li key=${code}><button type="button" class="link" onClick=${() => { toggleUnit(code); setWords(""); }}>${titleOf(fleet.row(code))}</button></li>`)}</ul>`}
  </fieldset>`;
}

/** What happened, each a click from its moment. */
function Events({ replay }) {
  if (replay.events.length === 0) return html`<p class="soft">${t("replay.quiet")}</p>`;
  const go = (event) => {
    seek(event.at);
    if (event.place) set({ goTo: { place: event.place } });
  };
  return html`<h3>${t("replay.events", { count: replay.events.length })}</h3><ul class="events">${replay.events.map((event, n) => html`<li key=${n}>
    <button type="button" class="card-open" data-event=${event.kind} onClick=${() => go(event)}><span class="card-title">${icon(event.kind === "alarm" ? "alert" : "pause")}${event.kind === "alarm" ? event.title : t("replay.stop", { span: span(event.seconds) })}</span>
    <span class="small soft"><time>${moment(event.at)}</time> · ${titleOf(fleet.row(event.device)) || event.device}</span></button></li>`)}</ul>`;
}
