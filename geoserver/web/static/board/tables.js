/** Areas, departments and classes side by side: every number leads to its cases, every area to those within it. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { Count } from "./figures.js";
import { actions } from "./state.js";
import { share } from "./words.js";

const RATE = "handling-on-time-rate";

/** Rows of one grouping, the largest first. `nameOf` gives { key, name, open? } of a row. */
function Table({ id, title, rows, evaluation, nameOf, chosen, most = 8 }) {
  const sorted = [...rows].sort((a, b) => b.counts.reported.cases - a.counts.reported.cases);
  const largest = Math.max(1, ...sorted.map((row) => row.counts.reported.cases));
  const rule = evaluation.indicators[RATE];
  return html`
    <section class="card table" aria-labelledby=${id}>
      <h2 id=${id}>${title}</h2>
      ${sorted.length === 0 ? html`<p class="soft">${t("table.empty")}</p>` : html`
      <div class="scroll" tabindex="0" role="group" aria-labelledby=${id}><table>
        <thead><tr><th scope="col">${t("table.name")}</th><th scope="col" class="numeric">${t("table.reported")}</th>
          <th scope="col" class="numeric">${t("table.closed")}</th>${rule && html`<th scope="col" class="numeric">${t("table.onTime")}</th>`}</tr></thead>
        <tbody>${sorted.map((row, n) => {
          const { key, name, open } = nameOf(row);
          const cell = (one, what) => html`<${Count} number=${row.counts[one]} name=${`${id}.${key}.${one}`} label=${`${name} ${what}`} chosen=${chosen} />`;
          return html`<tr key=${key} class=${n >= most ? "further" : ""}>
            <th scope="row">${open ? html`<button type="button" class="drill" onClick=${open}>${name}</button>` : name}
              <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect width=${(row.counts.reported.cases / largest) * 100} height="4" /></svg></th>
            <td class="numeric">${cell("reported", t("table.reported"))}</td>
            <td class="numeric">${cell("closed", t("table.closed"))}</td>
            ${rule && html`<td class="numeric rate">${share(row.indicators[RATE])}<small>${cell(rule.numerator, t("table.onTimeOf"))}/${cell(rule.denominator, t("table.due"))}</small></td>`}
          </tr>`;
        })}</tbody>
      </table></div>`}
    </section>
  `;
}

export function Areas({ board, chosen }) {
  const nameOf = (row) => {
    const key = row.keys[board.level];
    if (key === null) return { key: "none", name: t("table.elsewhere") };
    return { key, name: row.names[board.level] ?? key, open: board.level === "grid" ? null : () => actions.chooseArea(key) };
  };
  return html`<${Table} id="areas" title=${t(`areas.${board.level}`)} rows=${board.areas.rows} evaluation=${board.areas} nameOf=${nameOf} chosen=${chosen} />`;
}

export function Departments({ board, chosen }) {
  const nameOf = ({ keys, names }) => ({ key: keys.department ?? "none", name: names.department ?? keys.department ?? t("table.undispatched") });
  return html`<${Table} id="departments" title=${t("departments.title")} rows=${board.departments.rows} evaluation=${board.departments} nameOf=${nameOf} chosen=${chosen} />`;
}

export function Classes({ board, chosen }) {
  const nameOf = ({ keys }) => {
    const key = `${keys.kind}-${keys.class}`;
    return { key, name: board.classNames[key] ?? keys.class ?? t("table.unclassed") };
  };
  return html`<${Table} id="classes" title=${t("classes.title")} rows=${board.classes.rows} evaluation=${board.classes} nameOf=${nameOf} chosen=${chosen} />`;
}
