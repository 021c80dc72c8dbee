/** When the map is shown as of, and what it is compared with. */

import { useState } from "preact/hooks";

import { html, iconButton } from "../html.js";
import { language, t } from "../i18n.js";

const HOUR = 3_600_000;
/** How far back the slider reaches [ms]. */
const SPANS = [
  [24 * HOUR, t("time.span.day")],
  [7 * 24 * HOUR, t("time.span.week")],
  [30 * 24 * HOUR, t("time.span.month")],
  [365 * 24 * HOUR, t("time.span.year")],
];
const STEPS = 200;

const instantText = (instant) => new Date(instant).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });

/** An instant by its name, if it has one, and its date. */
export function momentText(instant, versions) {
  const name = versions.find((version) => version.at === instant)?.name;
  return name ? t("time.named", { name, when: instantText(instant) }) : instantText(instant);
}

export function TimePanel({ state, actions }) {
  const [span, setSpan] = useState(SPANS[1][0]);
  const { asOf, beside, versions } = state;
  return html`
    <section class="card panel time" aria-label=${t("time.title")}>
      <header class="panel-head">
        <h2>${t("time.title")}</h2>
        ${iconButton({ name: "close", label: t("time.close"), onClick: actions.closeTime, className: "plain" })}
      </header>
      <div class="panel-body">
        <p class="hint">${t("time.hint")}</p>
        <div class="choices" role="group" aria-label=${t("time.span")}>
          ${SPANS.map(([length, label]) => html`<button key=${length} type="button" aria-pressed=${String(span === length)} onClick=${() => setSpan(length)}>${label}</button>`)}
        </div>
        <${Instant} label=${beside ? t("time.left") : t("time.shown")} instant=${asOf} span=${span} versions=${versions} onChange=${actions.setInstant} />
        <label class="check wide">
          <input type="checkbox" checked=${Boolean(beside)} onChange=${(event) => actions.setBeside(event.target.checked ? "now" : null)} />${t("time.compare")}
        </label>
        ${beside && html`<${Instant} label=${t("time.right")} instant=${beside === "now" ? null : beside} span=${span} versions=${versions} onChange=${(at) => actions.setBeside(at ?? "now")} />`}
      </div>
    </section>
  `;
}

/** A slider for a quick look, and a field for the exact minute; the slider's right end is now. */
function Instant({ label, instant, span, versions, onChange }) {
  const [dragged, setDragged] = useState(null);
  const now = Date.now();
  const step = dragged ?? (instant ? Math.max(0, Math.round(STEPS * (1 - (now - Date.parse(instant)) / span))) : STEPS);
  const at = (value) => (value >= STEPS ? null : new Date(now - span * (1 - value / STEPS)).toISOString());
  const shown = dragged === null ? instant : at(dragged);
  const text = shown ? momentText(shown, versions) : t("time.now");
  const settle = (event) => {
    setDragged(null);
    onChange(at(Number(event.target.value)));
  };
  return html`
    <fieldset class="instant">
      <legend>${label}</legend>
      <strong aria-live="polite">${text}</strong>
      <input type="range" min="0" max=${STEPS} step="1" value=${step} aria-label=${label} aria-valuetext=${text}
        onInput=${(event) => setDragged(Number(event.target.value))} onChange=${settle} />
      <div class="exact">
        <input type="datetime-local" aria-label=${t("time.exact")} value=${shown ? local(shown) : ""} max=${local(now)}
          onChange=${(event) => onChange(event.target.value ? new Date(event.target.value).toISOString() : null)} />
        <button type="button" class="ghost" disabled=${!instant} onClick=${() => onChange(null)}>${t("time.back")}</button>
      </div>
      ${versions.length > 0 && html`<${Names} versions=${versions} instant=${instant} onChange=${onChange} />`}
    </fieldset>
  `;
}

/** The named versions, the latest first; choosing one shows the map of its instant. */
function Names({ versions, instant, onChange }) {
  const chosen = versions.find((version) => version.at === instant);
  return html`
    <label class="named">
      <span>${t("time.versions")}</span>
      <select value=${chosen?.name ?? ""} onChange=${(event) => onChange(versions.find(({ name }) => name === event.target.value)?.at ?? null)}>
        <option value="">${t("time.versions.none")}</option>
        ${versions.map(({ name, at }) => html`<option key=${name} value=${name}>${`${name} · ${new Date(at).toLocaleDateString(language)}`}</option>`)}
      </select>
    </label>
    ${chosen?.note && html`<p class="hint">${chosen.note}</p>`}
  `;
}

/** What `datetime-local` takes, on this machine's clock. */
function local(instant) {
  const at = new Date(instant);
  return new Date(at.valueOf() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The line between two instants, to be dragged or moved by the arrow keys. */
export function Divider({ state, actions }) {
  const drag = (event) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    event.currentTarget.onpointermove = (move) => actions.moveDivider((move.clientX / innerWidth) * 100);
  };
  const drop = (event) => (event.currentTarget.onpointermove = null);
  const onKeyDown = (event) => {
    const step = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
    if (!step) return;
    event.preventDefault();
    actions.moveDivider(state.divider + step);
  };
  const name = (instant) => (instant && instant !== "now" ? momentText(instant, state.versions) : t("time.now"));
  return html`
    <div class="divider" ref=${(element) => element && (element.style.left = `${state.divider}%`)} role="slider" tabindex="0" aria-label=${t("time.divider")}
      aria-orientation="horizontal" aria-valuemin="5" aria-valuemax="95" aria-valuenow=${Math.round(state.divider)}
      onPointerDown=${drag} onPointerUp=${drop} onPointerCancel=${drop} onKeyDown=${onKeyDown}>
      <span class="when before">${name(state.asOf)}</span><span class="grip" aria-hidden="true"></span><span class="when after">${name(state.beside)}</span>
    </div>
  `;
}
