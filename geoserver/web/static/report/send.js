/** Step 3: look it over and send. */

import { useEffect, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { run } from "../work/api.js";
import { icon } from "../work/icons.js";
import { inWords } from "./position.js";
import { actions } from "./state.js";
import { Thumb } from "./what.js";

export function Send({ state }) {
  const { report, account, offline } = state;
  const { position } = report;
  const exact = position.source === "gps" ? inWords(position.accuracy).said : t("where.byHand");
  const field = (name, more = {}) => html`<label class="field"><span>${t(`send.${name}`)} <span class="soft small">${t("optional")}</span></span>
    <input maxlength="80" value=${report[name]} ...${more} onInput=${(event) => actions.change({ [name]: event.target.value })} /></label>`;
  return html`
    <section aria-labelledby="send-head" class="stack">
      <h2 id="send-head">${t("send.head")}</h2>
      <dl class="summary">
        <div><dt>${t("send.where")}</dt><dd>${report.place ?? `${position.lon.toFixed(5)}, ${position.lat.toFixed(5)}`}<br /><span class="small soft">${exact}</span></dd></div>
        <div><dt>${t("send.what")}</dt><dd>${report.service.name}${report.description && html`<br /><span class="soft">${report.description}</span>`}</dd></div>
        <div><dt>${t("photo.head")}</dt><dd>${report.photos.length === 0 ? t("send.noPhoto") : html`<span class="thumbs">${report.photos.map((photo, n) => html`<${Thumb} photo=${photo} alt=${t("photo.alt", { n: n + 1 })} key=${photo.id} />`)}</span>`}</dd></div>
      </dl>
      <${Similar} report=${report} />
      ${!account && html`<div class="stack">${field("name", { autocomplete: "name" })}${field("phone", { type: "tel", autocomplete: "tel" })}
        <p class="small soft">${t("send.privacy")}</p></div>`}
      <button type="button" class="button main wide" onClick=${actions.send} data-send>${icon("send")}${t(offline ? "send.later" : "send.now")}</button>
      <button type="button" class="button" onClick=${() => actions.go(2)}>${icon("back")}${t("back")}</button>
    </section>
  `;
}

/** What somebody reported here already, as far as the reader may see cases. */
function Similar({ report }) {
  const [found, setFound] = useState([]);
  useEffect(() => {
    const { lon, lat } = report.position;
    run("similar-cases", { position: [lon, lat], kind: report.service.kind, class_code: report.service.code })
      .then((cases) => setFound(cases.filter(({ open }) => open)), () => setFound([]));
  }, [report.service.id, report.position.lon, report.position.lat]);
  if (found.length === 0) return null;
  return html`
    <div class="notice wait">
      <strong>${t("similar.head")}</strong>
      <ul>${found.slice(0, 3).map((one) => html`<li key=${one.case}>${one.title} · ${t("similar.away", { metres: Math.round(one.distance) })}</li>`)}</ul>
      <span>${t("similar.joined")}</span>
      <label class="tick"><input type="checkbox" checked=${report.separate} onChange=${(event) => actions.change({ separate: event.target.checked })} />${t("similar.separate")}</label>
    </div>
  `;
}
