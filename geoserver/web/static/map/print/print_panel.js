/** What stands on the printed sheet: title, map, scale, legend, date and sources. */

import { useState } from "preact/hooks";

import { html, icon, iconButton } from "../html.js";
import { language, number, t } from "../i18n.js";
import { shownAbove } from "../layer_list.js";
import { Legend } from "../legend.js";
import { momentText } from "../time/time_panel.js";

/** Layers whose legend stands on the sheet. */
const MOST = 8;

const round = (metres) => (metres < 1000 ? `${number.format(metres)} m` : `${number.format(metres / 1000)} km`);

export function PrintPanel({ layers, actions }) {
  const above = shownAbove(layers);
  const [title, setTitle] = useState(above.length ? above.map((layer) => layer.title).slice(0, 3).join(" · ") : t("page.name"));
  return html`
    <section class="card panel printing" aria-label=${t("print.title")}>
      <header class="panel-head">
        <h2>${t("print.title")}</h2>
        ${iconButton({ name: "close", label: t("close"), onClick: actions.togglePrint, className: "plain" })}
      </header>
      <div class="panel-body">
        <label class="field"><span>${t("print.heading")}</span><input type="text" maxlength="80" value=${title} onInput=${(event) => setTitle(event.target.value)} /></label>
        <p class="hint">${t("print.hint")}</p>
        <div class="row-buttons">
          <button type="button" class="primary" onClick=${() => actions.printMap(title)}>${icon("print")}${t("print.go")}</button>
          <button type="button" class="ghost" onClick=${() => actions.savePicture(title)}>${icon("download")}${t("print.picture")}</button>
        </div>
      </div>
    </section>
  `;
}

/** The sheet itself: seen on paper only. */
export function Sheet({ state, actions }) {
  const { sheet, layers, asOf, versions } = state;
  const above = shownAbove(layers).slice(0, MOST);
  const credit = [...new Set(layers.filter((layer) => layer.visible && layer.credit).map((layer) => layer.credit))].join(" · ");
  return html`
    <section class="sheet" aria-hidden="true">
      <header><h1>${sheet.title}</h1><p>${t("page.name")} · ${sheet.at.toLocaleString(language, { dateStyle: "long", timeStyle: "short" })}</p></header>
      <div class="sheet-map">
        <img src=${sheet.picture} alt="" onLoad=${actions.sheetReady} />
        <svg class="north" viewBox="0 0 40 48" ref=${(element) => element && (element.style.transform = `rotate(${-sheet.bearing}deg)`)}>
          <path d="M20 4 31 40 20 33 9 40z" fill="#fff" stroke="#000" stroke-width="2" /><path d="M20 4 31 40 20 33z" />
        </svg>
      </div>
      <div class="sheet-scale" ref=${(element) => element && (element.style.width = `${sheet.scale.share}%`)}>${round(sheet.scale.metres)}</div>
      <div class="sheet-legend">
        ${above.map((layer) => html`
          <div key=${layer.id}><h2>${layer.title}</h2>
            <${Legend} entries=${layer.legend} /></div>
        `)}
      </div>
      <footer>${asOf ? `${t("time.shown")} ${momentText(asOf, versions)} · ` : ""}${credit && `${t("print.sources")} ${credit} · `}${location.href}</footer>
    </section>
  `;
}
