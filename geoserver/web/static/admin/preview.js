/** What a file holds before it is imported: its tables, how they were read, first rows, and the shapes on a map. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { SmallMap } from "./small_map.js";
import { count, own } from "./words.js";

export function Preview({ seen }) {
  return html`${seen.tables.map((table) => html`<section class="card" key=${table.name} data-preview=${table.name}>
    <h4>${table.name} <span class="soft small">${[table.geometry_type, table.count !== null && t("preview.count", { n: count(table.count) })].filter(Boolean).join(" · ")}</span></h4>
    <div class="row"><span class="chip good">${icon("check")}${t("preview.crs", { crs: table.crs })}</span>${table.encoding && html`<span class="chip good" data-read-encoding>${icon("check")}${t("preview.encoding", { encoding: table.encoding })}</span>`}</div>
    ${table.warnings.map((text, n) => html`<p class="notice wait small" key=${n}>${own(text)}</p>`)}
    <p class="small soft">${t("preview.look")}</p>
    <div class="scroll" tabindex="0" role="group" aria-label=${t("preview.rows", { table: table.name })}><table>
      <thead><tr>${table.fields.map(({ name, type }) => html`<th scope="col" key=${name}>${name}<div class="small soft">${type}</div></th>`)}</tr></thead>
      <tbody>${table.rows.slice(0, 8).map((row, n) => html`<tr key=${n}>${table.fields.map(({ name }) => html`<td key=${name}>${row[name] ?? ""}</td>`)}</tr>`)}</tbody></table></div>
    ${table.features.features.length > 0 && html`<${SmallMap} data=${table.features} label=${t("preview.map", { table: table.name })} />`}
  </section>`)}`;
}
