/** The boundary points of a parcel in its own zone [m], each to be corrected by its numbers. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { movePoint } from "./draft.js";

const MOST = 400;

export function PointsTable({ parcel }) {
  const rows = parcel.rings.flatMap((ring, r) => ring.map((point, n) => ({ ...point, ring: r, place: n })));
  return html`
    <details class="points">
      <summary>${t("points", { n: rows.length })}</summary>
      <p class="small soft">${t("points.help", { crs: parcel.crs, zone: parcel.zone })}</p>
      <div class="scroll" tabindex="0" role="group" aria-label=${t("points", { n: rows.length })}>
      <table>
        <thead><tr><th scope="col">${t("points.name")}</th><th scope="col">${t("points.x")}</th><th scope="col">${t("points.y")}</th></tr></thead>
        <tbody>${rows.slice(0, MOST).map((point) => html`<${Point} key=${`${point.ring}-${point.place}-${point.x}-${point.y}`} point=${point} />`)}</tbody>
      </table></div>
      ${rows.length > MOST && html`<p class="small soft">${t("points.more", { n: rows.length - MOST })}</p>`}
    </details>
  `;
}

function Point({ point }) {
  const { name, ring, place } = point;
  const change = (axis) => (event) => {
    const value = Number(event.target.value);
    if (event.target.value === "" || !event.target.checkValidity() || value === point[axis]) return;
    movePoint(ring, place, { x: point.x, y: point.y, [axis]: value });
  };
  const field = (axis, min, max) => html`<input type="number" step="0.001" min=${min} max=${max} value=${point[axis].toFixed(3)} data-point=${name} data-axis=${axis}
    aria-label=${t(`points.${axis}.of`, { point: name })} onChange=${change(axis)} />`;
  return html`<tr><th scope="row">${name}${ring > 0 ? ` (${ring + 1})` : ""}</th><td>${field("x", 300000, 6100000)}</td><td>${field("y", 100000, 999999.999)}</td></tr>`;
}
