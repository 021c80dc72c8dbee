/** Numbers that lead to what they count: a click shows it on the board's map, the address lists it. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { listAddress } from "./data.js";
import { actions } from "./state.js";
import { count, either, share } from "./words.js";

/** A number as a link. `number` is { cases, filter, collection? }; without a filter it is only told. */
export function Count({ number, name, label, chosen, className = "count" }) {
  const shown = count(number.cases);
  if (!number.filter) return html`<span class=${className}>${shown}</span>`;
  const of = { collection: "cases", ...number };
  const open = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    actions.choose({ ...of, key: name, title: label });
  };
  return html`<a class=${className} href=${listAddress(of)} data-number=${name} aria-label=${`${label} ${shown}`}
    aria-current=${chosen?.key === name ? "true" : undefined} onClick=${open}>${shown}</a>`;
}

/** The numbers of this moment. */
export const Now = ({ board, chosen }) => html`
  <section class="tiles now" aria-labelledby="now-title">
    <h2 id="now-title">${t("now.title")}</h2>
    <ul>
      ${["open", "red", "amber", "suspended", "supervised"].map((name) => tile(`now.${name}`, t(`now.${name}`), board.now[name], chosen, name))}
      ${Object.entries(board.city).map(([name, number]) => tile(`city.${name}`, t(`city.${name}`), number, chosen, "city"))}
    </ul>
  </section>
`;

function tile(name, label, number, chosen, grade) {
  return html`<li class=${`tile ${grade}`}><span class="tile-name">${label}</span><${Count} number=${number} name=${name} label=${label} chosen=${chosen} className="big" /></li>`;
}

const SHARES = ["handling-rate", "handling-on-time-rate", "closing-rate", "rework-rate"];

/** The period's counts, and its indicators with the two numbers that each divides. */
export function Period({ board, chosen }) {
  const { total, counts, indicators } = board.trend;
  const shown = [...SHARES.filter((name) => name in indicators), ...Object.keys(indicators).filter((name) => !SHARES.includes(name))].slice(0, 4);
  const told = ["reported", "filed", "handled", "closed"].filter((name) => name in counts);
  return html`
    <section class="tiles" aria-labelledby="period-title">
      <h2 id="period-title">${t("period.title")}</h2>
      <ul>
        ${told.map((name) => tile(`total.${name}`, either(counts[name].title), total.counts[name], chosen, "period"))}
        ${shown.map((name) => html`<${Share} key=${name} rule=${indicators[name]} part=${total.indicators[name]} board=${board} chosen=${chosen} />`)}
      </ul>
    </section>
  `;
}

function Share({ rule, part, board, chosen }) {
  const { total, counts } = board.trend;
  const of = (name) => html`<span>${either(counts[name].title)} <${Count} number=${total.counts[name]} name=${`total.${name}`} label=${either(counts[name].title)} chosen=${chosen} /></span>`;
  return html`
    <li class="tile share">
      <span class="tile-name">${either(rule.title)}</span>
      <span class="big">${share(part)}</span>
      <span class="parts">${of(rule.numerator)} ${of(rule.denominator)}</span>
    </li>
  `;
}
