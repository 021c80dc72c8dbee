/** Conditions put together by choosing, or written as CQL2; the count follows what is entered. */

import { useEffect, useState } from "preact/hooks";

import { html, icon, iconButton } from "../html.js";
import { number, t } from "../i18n.js";
import { ALONE, fieldsOf, filterText, kindOf, operatorsOf } from "./cql2.js";

const PAUSE = 350;
const words = {
  has: t("filter.has"),
  begins: t("filter.begins"),
  is: t("filter.is"),
  isnt: t("filter.isnt"),
  less: t("filter.less"),
  most: t("filter.most"),
  more: t("filter.more"),
  least: t("filter.least"),
  since: t("filter.since"),
  before: t("filter.before"),
  empty: t("filter.empty"),
  filled: t("filter.filled"),
  holds: t("filter.holds"),
};

export function FilterBuilder({ table, schema, actions }) {
  const fields = fieldsOf(schema);
  const blank = () => ({ field: fields[0][0], operator: operatorsOf(fields[0][1])[0], value: "" });
  const [conditions, setConditions] = useState(() => (table.filter ? [] : [blank()]));
  const [joint, setJoint] = useState("AND");
  const [text, setText] = useState(table.filter);
  const rewrite = (next, by = joint) => {
    setConditions(next);
    setJoint(by);
    setText(filterText(next, by, schema));
  };
  const change = (n, patch) => rewrite(conditions.map((one, m) => (m === n ? { ...one, ...patch } : one)));
  const apply = (event) => {
    event.preventDefault();
    actions.filterTable(text.trim());
  };
  return html`
    <form class="builder" aria-label=${t("filter.title")} onSubmit=${apply}>
      <div class="conditions">
        ${conditions.length > 1 && html`
          <label class="joint">${t("filter.joint")}
            <select value=${joint} onChange=${(event) => rewrite(conditions, event.target.value)}>
              <option value="AND">${t("filter.all")}</option><option value="OR">${t("filter.any")}</option>
            </select>
          </label>
        `}
        ${conditions.map((condition, n) => html`
          <${Condition} key=${n} condition=${condition} fields=${fields} schema=${schema} onChange=${(patch) => change(n, patch)}
            onRemove=${() => rewrite(conditions.filter((_, m) => m !== n))} />
        `)}
        <button type="button" class="ghost" onClick=${() => rewrite([...conditions, blank()])}>${icon("plus")}${t("filter.add")}</button>
      </div>
      <label class="written">${t("filter.text")}
        <textarea rows="2" spellcheck="false" value=${text} onInput=${(event) => (setConditions([]), setText(event.target.value))}></textarea>
      </label>
      <div class="row-buttons">
        <button type="submit" class="primary">${icon("filter")}${t("filter.apply")}</button>
        <button type="button" class="ghost" disabled=${!text && !table.filter} onClick=${() => (rewrite([]), actions.filterTable(""))}>${t("filter.clear")}</button>
        <${Count} layer=${table.layer} text=${text.trim()} actions=${actions} />
      </div>
    </form>
  `;
}

function Condition({ condition, fields, schema, onChange, onRemove }) {
  const property = schema.properties[condition.field];
  const choose = (field) => onChange({ field, operator: operatorsOf(schema.properties[field])[0], value: "" });
  return html`
    <div class="condition">
      <select aria-label=${t("filter.field")} value=${condition.field} onChange=${(event) => choose(event.target.value)}>
        ${fields.map(([name, { title }]) => html`<option key=${name} value=${name}>${title ?? name}</option>`)}
      </select>
      <select aria-label=${t("filter.operator")} value=${condition.operator} onChange=${(event) => onChange({ operator: event.target.value })}>
        ${operatorsOf(property).map((name) => html`<option key=${name} value=${name}>${words[name]}</option>`)}
      </select>
      ${!ALONE.has(condition.operator) && html`<${Value} property=${property} value=${condition.value} onChange=${(value) => onChange({ value })} />`}
      ${iconButton({ name: "close", label: t("filter.remove"), className: "plain", onClick: onRemove })}
    </div>
  `;
}

function Value({ property, value, onChange }) {
  const kind = kindOf(property);
  const label = t("filter.value");
  const options = kind === "boolean" ? [["true", t("value.yes")], ["false", t("value.no")]] : Object.entries(property["x-citymap-domain"] ?? {});
  if (options.length > 0) {
    return html`
      <select aria-label=${label} value=${value} onChange=${(event) => onChange(event.target.value)}>
        <option value=""></option>
        ${options.map(([code, meaning]) => html`<option key=${code} value=${code}>${meaning}</option>`)}
      </select>
    `;
  }
  const type = { number: "number", time: "date" }[kind] ?? "text";
  return html`
    <span class="value">
      <input type=${type} step="any" aria-label=${label} value=${value} onInput=${(event) => onChange(event.target.value)} />
      ${property["x-ogc-unit"] && html`<span class="sub">${property["x-ogc-unit"]}</span>`}
    </span>
  `;
}

/** How many features the text finds, as it is written. */
function Count({ layer, text, actions }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    setSaid("");
    if (!text) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      actions.countOf(layer, text, abort.signal).then(
        (count) => setSaid(t("filter.count", { count: number.format(count) })),
        (error) => error.name === "AbortError" || setSaid(error.message),
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [layer, text]);
  return html`<output class="sub found-count">${said}</output>`;
}
