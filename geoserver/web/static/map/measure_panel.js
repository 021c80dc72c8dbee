/** The measurement in words. */

import { html, icon, iconButton } from "./html.js";
import { language, number, t } from "./i18n.js";
import { Trouble } from "./results_panel.js";

export function MeasurePanel({ measure, actions }) {
  const kinds = [["line", t("measure.line")], ["area", t("measure.area")]];
  return html`
    <section class="card panel measure" aria-label=${t("measure.title")}>
      <header class="panel-head">
        <h2>${t("measure.title")}</h2>
        ${iconButton({ name: "close", label: t("close"), onClick: actions.closeMeasure, className: "plain" })}
      </header>
      <div class="panel-body">
        <div class="choices" role="group" aria-label=${t("measure.kind")}>
          ${kinds.map(([kind, label]) => html`
            <button key=${kind} type="button" aria-pressed=${String(measure.kind === kind)} onClick=${() => actions.measureKind(kind)}>${icon(kind)}${label}</button>
          `)}
        </div>
        <p class="hint">${t("measure.hint")}</p>
        <div aria-live="polite">
          ${measure.loading && html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i></div>`}
          ${measure.error && html`<${Trouble} error=${measure.error} />`}
          ${measure.result && html`<${Figures} kind=${measure.kind} result=${measure.result} />`}
        </div>
        <div class="row-buttons">
          <button type="button" class="ghost" disabled=${!measure.corners.length} onClick=${actions.undoCorner}>${icon("undo")}${t("measure.undo")}</button>
          <button type="button" class="ghost" disabled=${!measure.corners.length} onClick=${actions.clearMeasure}>${icon("trash")}${t("measure.clear")}</button>
        </div>
      </div>
    </section>
  `;
}

function Figures({ kind, result }) {
  const rows = [
    kind === "area" && [t("measure.result.area"), area(result.area), area(result.geodesic_area)],
    [kind === "area" ? t("measure.result.perimeter") : t("measure.result.length"), length(result.length), length(result.geodesic_length)],
  ].filter(Boolean);
  return html`
    <dl class="figures">
      ${rows.map(([title, plane, ground]) => html`
        <div key=${title}><dt>${title}</dt><dd><strong>${plane}</strong></dd><dd class="sub">${t("measure.geodesic", { value: ground })}</dd></div>
      `)}
    </dl>
    <p class="sub">${t("measure.zone", { name: result.crs })}</p>
  `;
}

const digits = (value, most) => new Intl.NumberFormat(language, { maximumFractionDigits: most, minimumFractionDigits: most }).format(value);

/** Metres, beyond 10 km kilometres. */
export const length = (metres) => (metres < 10_000 ? `${digits(metres, 2)} m` : `${digits(metres / 1000, 3)} km`);

/** Square metres, with hectares and mu from one mu on, and square kilometres beyond 1 km². */
export function area(metres) {
  if (metres >= 1_000_000) return `${digits(metres / 1_000_000, 4)} km²`;
  const plain = `${digits(metres, 2)} m²`;
  return metres < MU ? plain : `${plain} · ${t("measure.mu", { value: number.format(Number((metres / MU).toFixed(2))) })}`;
}

/** 亩 mu [m²]. */
const MU = 2000 / 3;
