/** A layer's colours, as its legend gives them. */

import { html } from "./html.js";
import { t } from "./i18n.js";

/** What the colours mean: a list of classes, or a band of colours with values below it. */
export function Legend({ entries }) {
  if (entries.length > 1 && entries.every((entry) => entry.shape === "ramp")) return html`<${Ramp} entries=${entries} />`;
  return html`<ul class="legend" aria-label=${t("layers.legend")}>${entries.map((entry) => html`<li key=${entry.label}><${Mark} entry=${entry} />${entry.label}</li>`)}</ul>`;
}

/** Each part between two values is as long as the others, as its colours are spread on the map too. */
function Ramp({ entries }) {
  const share = (n) => n / (entries.length - 1);
  const id = `ramp-${entries.map((entry) => entry.color.slice(1)).join("")}`;
  const every = Math.ceil(entries.length / 6);
  const told = entries.filter((_, n) => n === entries.length - 1 || (n % every === 0 && n + every / 2 < entries.length));
  return html`
    <div class="ramp" role="img" aria-label=${`${t("layers.legend")} ${entries[0].label} – ${entries.at(-1).label}`}>
      <svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
        <defs><linearGradient id=${id}>${entries.map((entry, n) => html`<stop offset=${share(n)} stop-color=${entry.color} />`)}</linearGradient></defs>
        <rect width="100" height="12" fill=${`url(#${id})`} />
      </svg>
      <div class="ramp-values">${told.map((entry) => html`<span key=${entry.label}>${entry.label}</span>`)}</div>
    </div>
  `;
}

/** Up to three of a layer's colours, side by side. */
export function Swatch({ entries }) {
  const picked = entries.length > 3 ? [entries[0], entries[Math.floor(entries.length / 2)], entries.at(-1)] : entries;
  return html`<span class="swatch" aria-hidden="true">${picked.map((entry) => html`<${Mark} entry=${entry} />`)}</span>`;
}

export function Mark({ entry }) {
  const { shape, color, outline } = entry;
  const edge = outline ?? "none";
  return html`
    <svg class="mark" viewBox="0 0 18 14" aria-hidden="true">
      ${(shape === "fill" || shape === "ramp") && html`<rect x="1.5" y="1.5" width="15" height="11" rx="2.5" fill=${color} stroke=${outline ?? "currentColor"} stroke-opacity=${outline ? 1 : 0.18} />`}
      ${shape === "line" && html`<path d="M1 11 17 3" fill="none" stroke=${edge} stroke-width="5" /><path d="M1 11 17 3" fill="none" stroke=${color} stroke-width="3" />`}
      ${shape === "circle" && html`<circle cx="9" cy="7" r="4.5" fill=${color} />`}
      ${shape === "text" && html`<text x="9" y="11.5" text-anchor="middle" font-size="12" fill=${color}>${t("layers.sample")}</text>`}
      ${shape === "picture" && html`<path d="M1.5 1.5h15v11h-15z" fill=${color} fill-opacity="0.25" stroke="currentColor" stroke-opacity="0.5" /><path d="M2 11 7 5.5l3.5 4 2-2L16 11" fill="none" stroke="currentColor" stroke-opacity="0.7" />`}
    </svg>
  `;
}
