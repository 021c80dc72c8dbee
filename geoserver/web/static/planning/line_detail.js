/** The open red line: how it stands, what its reader may do, its checks and its course. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { Checked } from "./checked.js";
import { State } from "./lines_panel.js";
import { actTitle, allowed, beginAct, checkLine, openLine } from "./lines.js";
import { amount, day, hectares, mu, squareMetres, when } from "./words.js";
import { say } from "./state.js";

const GRAVE = new Set(["return", "withdraw", "revoke", "expire", "replace"]);

export function LineDetail({ state }) {
  const { line, lineTrouble, number, names, lineCheck, picked } = state;
  const back = html`<button type="button" class="button quiet back" onClick=${() => openLine(null)}>${icon("back")}${t("lines.back")}</button>`;
  if (!line) return html`${back}${lineTrouble ? html`<${Trouble} error=${lineTrouble} onRetry=${() => openLine(number)} />` : html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i><i></i></div>`}`;
  const { history } = line;
  const states = names.redlines?.fields.status ?? {};
  return html`
    ${back}
    ${lineTrouble && html`<${Trouble} error=${lineTrouble} onRetry=${() => openLine(number)} />`}
    <article class="line" data-line=${history.number} data-state=${history.status}>
      <header><h2 tabindex="-1">${history.name}</h2><p class="row"><span class="number">${history.number}</span><${State} status=${history.status} states=${states} /></p></header>
      <${Acts} line=${line} roles=${state.roles} />
      <${Facts} history=${history} names=${names} />
      <div class="row"><button type="button" class="button" data-check-line disabled=${lineCheck?.busy} onClick=${checkLine}>${icon("search")}${t("lines.check")}</button>
        <button type="button" class="button quiet" onClick=${copyLink}>${t("link.copy")}</button></div>
      <${Checked} check=${lineCheck} picked=${picked} names=${names} onRetry=${checkLine} />
      <${Course} history=${history} states=${states} />
    </article>
  `;
}

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    say(t("link.copied"));
  } catch {
    say(t("link.address", { url: location.href }));
  }
}

function Acts({ line, roles }) {
  const acts = allowed(line, roles);
  if (acts.length === 0) return html`<p class="soft" data-no-acts>${t("lines.noActs")}</p>`;
  return html`<div class="row acts" role="group" aria-label=${t("lines.acts")}>
    ${acts.map((next, n) => html`<button type="button" key=${next.action} data-act=${next.action} class=${`button ${GRAVE.has(next.action) ? "danger" : n === 0 ? "main" : ""}`} onClick=${() => beginAct(next)}>${actTitle(next)}</button>`)}
  </div>`;
}

function Facts({ history, names }) {
  const { facts, parents, children } = history;
  const of = (field) => names.redlines?.fields[field]?.[facts[field]] ?? facts[field];
  const rows = [
    ["applicant", facts.applicant], ["use", facts.land_code && `${facts.land_code} (${facts.scheme})`], ["supply", of("supply")],
    ["area", facts.area && `${hectares(facts.area / 10_000)} · ${mu(facts.area / (10_000 / 15))} · ${squareMetres(facts.area)}`],
    ["zone", amount(facts.zone)], ["applied", day(facts.applied_on)], ["approved", facts.approved_on && day(facts.approved_on)], ["expires", facts.expires_on && day(facts.expires_on)],
    ["conditions", facts.conditions],
  ].filter(([, value]) => value);
  const family = [["parents", parents], ["children", children]].filter(([, numbers]) => numbers.length);
  return html`
    <dl class="facts">${rows.map(([name, value]) => html`<div key=${name}><dt>${t(`fact.${name}`)}</dt><dd>${value}</dd></div>`)}
      ${family.map(([name, numbers]) => html`<div key=${name}><dt>${t(`fact.${name}`)}</dt><dd>${numbers.map((one) => html`<button type="button" class="link" onClick=${() => openLine(one)}>${one}</button> `)}</dd></div>`)}</dl>
  `;
}

/** Its steps: what, when, by whom, with what number. */
function Course({ history, states }) {
  return html`
    <section class="course" aria-label=${t("course")}>
      <h3>${t("course")}</h3>
      <p class=${`small ${history.unbroken ? "soft" : "need"}`}>${icon(history.unbroken ? "check" : "alert")}${t(history.unbroken ? "course.unbroken" : "course.broken")}</p>
      <ol>${history.steps.map((step) => html`<li key=${step.place}>
        <strong>${states[step.after] ?? step.after}</strong> <span class="small soft">${when(step.at)} · ${step.actor} · ${t(`role.${step.role}`)}</span>
        ${step.document && html`<div class="number" data-document>${step.document}</div>`}
        ${step.opinion && html`<div>${step.opinion}</div>`}
        ${step.check && html`<div class="small soft">${t("course.check", { n: step.check })}</div>`}
      </li>`)}</ol>
    </section>
  `;
}
