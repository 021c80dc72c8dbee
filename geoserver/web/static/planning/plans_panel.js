/** Two versions of a plan beside each other: what ground changed its use, which plots came, went, or differ. */

import { useEffect, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { comparePlans, readVersions } from "./siting.js";
import { amount, hectares } from "./words.js";

const MOST = 60;

export function PlansPanel({ state }) {
  const { plans } = state;
  const [known, setKnown] = useState(null);
  const [trouble, setTrouble] = useState(null);
  const [asked, setAsked] = useState({ plan: "", before: "", after: "" });
  useEffect(() => {
    readVersions().then((found) => {
      setKnown(found);
      const [plan, versions] = [...found].find(([, some]) => some.length > 1) ?? [...found][0] ?? ["", []];
      setAsked({ plan, before: versions.at(-2) ?? "", after: versions.at(-1) ?? "" });
    }, (error) => setTrouble(error));
  }, []);
  const send = (event) => {
    event.preventDefault();
    comparePlans(asked);
  };
  const choice = (name, options) => html`<label class="field"><span>${t(`plans.${name}`)}</span><select required value=${asked[name]} onChange=${(event) => setAsked({ ...asked, [name]: event.target.value })}>
    ${options.map((one) => html`<option value=${one} key=${one}>${one}</option>`)}</select></label>`;
  return html`
    <h2>${t("plans")}</h2>
    ${trouble && html`<${Trouble} error=${trouble} />`}
    ${!known && !trouble && html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i></div>`}
    ${known && known.size === 0 && html`<div class="empty">${icon("list")}<p>${t("plans.none")}</p></div>`}
    ${known && known.size > 0 && html`<form class="form" onSubmit=${send}>
      ${choice("plan", [...known.keys()])}
      <div class="two">${choice("before", known.get(asked.plan) ?? [])}${choice("after", known.get(asked.plan) ?? [])}</div>
      <button class="button main" disabled=${plans?.busy || !asked.before || asked.before === asked.after} data-run="plans">${t("plans.compare")}</button>
    </form>`}
    ${plans?.busy && html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i></div>`}
    ${plans?.trouble && html`<${Trouble} error=${plans.trouble} />`}
    ${plans?.found && html`<${Compared} found=${plans.found} />`}
  `;
}

const ha = (value) => hectares(value / 10_000);

function Compared({ found }) {
  const facts = [["before", found.before_area], ["after", found.after_area], ["unchanged", found.unchanged_area], ["changed", found.changed_area]];
  return html`<section aria-label=${t("plans.result")} data-compared>
    <dl class="areas">${facts.map(([name, value]) => html`<div key=${name}><dt>${t(`plans.area.${name}`)}</dt><dd class="number">${ha(value)}</dd></div>`)}</dl>
    <ul class="legend">${["added", "removed", "changed"].map((how) => html`<li key=${how}><svg viewBox="0 0 16 16" aria-hidden="true"><rect width="16" height="16" rx="3" class=${`plot-${how}`} /></svg>${t(`plans.${how}`, { n: how === "changed" ? found.plots_changed : found[how].length })}</li>`)}</ul>
    <h3>${t("plans.transitions")}</h3>
    <div class="scroll" tabindex="0" role="group" aria-label=${t("plans.transitions")}><table class="wide"><thead><tr><th scope="col">${t("plans.before")}</th><th scope="col">${t("plans.after")}</th><th scope="col">${t("area.hectares")}</th></tr></thead>
      <tbody>${found.transitions.slice(0, MOST).map((one, n) => html`<tr key=${n}><td>${one.before ?? "—"}</td><td>${one.after ?? "—"}</td><td class="number">${ha(one.area)}</td></tr>`)}</tbody></table></div>
    <details><summary>${t("plans.indices", { n: found.plots.length })}</summary>
      <dl class="facts">${found.plots.slice(0, MOST).map((one, n) => html`<div key=${n}><dt>${one.plot} · ${one.index}</dt><dd class="number">${shown(one.before)} → ${shown(one.after)}</dd></div>`)}</dl></details>
  </section>`;
}

const shown = (value) => (typeof value === "number" ? amount(value) : value ?? "—");
