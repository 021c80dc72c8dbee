/** A layer's colours, as its legend gives them. */

import { html } from "./html.js";
import { t } from "./i18n.js";

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
      ${shape === "fill" && html`<rect x="1.5" y="1.5" width="15" height="11" rx="2.5" fill=${color} stroke=${outline ?? "currentColor"} stroke-opacity=${outline ? 1 : 0.18} />`}
      ${shape === "line" && html`<path d="M1 11 17 3" fill="none" stroke=${edge} stroke-width="5" /><path d="M1 11 17 3" fill="none" stroke=${color} stroke-width="3" />`}
      ${shape === "circle" && html`<circle cx="9" cy="7" r="4.5" fill=${color} />`}
      ${shape === "text" && html`<text x="9" y="11.5" text-anchor="middle" font-size="12" fill=${color}>${t("layers.sample")}</text>`}
      ${shape === "picture" && html`<path d="M1.5 1.5h15v11h-15z" fill=${color} fill-opacity="0.25" stroke="currentColor" stroke-opacity="0.5" /><path d="M2 11 7 5.5l3.5 4 2-2L16 11" fill="none" stroke="currentColor" stroke-opacity="0.7" />`}
    </svg>
  `;
}
