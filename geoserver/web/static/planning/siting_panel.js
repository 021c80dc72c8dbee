/** The search for sites: hard limits, weighted distances, and the ranked candidates with their reasons. */

import { useEffect, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { language, t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { findSites, FIRST_CRITERION, FIRST_LIMIT, pickSite, readLayers } from "./siting.js";
import { own, percent, squareMetres } from "./words.js";

export function SitingPanel({ state }) {
  const { siting } = state;
  const [layers, setLayers] = useState([]);
  const [criteria, setCriteria] = useState([FIRST_CRITERION]);
  const [limits, setLimits] = useState([FIRST_LIMIT]);
  const [asked, setAsked] = useState({ codes: "09", least: 5000, most: "", count: 10 });
  useEffect(() => { readLayers(language).then(setLayers, () => setLayers([])); }, []);
  const put = (name) => (event) => setAsked({ ...asked, [name]: event.target.value });
  const send = (event) => {
    event.preventDefault();
    findSites({
      criteria, limits, land_codes: asked.codes.split(/[\s,，、]+/).filter(Boolean), min_area: Number(asked.least) || 0,
      ...(asked.most ? { max_area: Number(asked.most) } : {}), count: Number(asked.count),
    });
  };
  return html`
    <h2>${t("siting")}</h2>
    <form class="form" onSubmit=${send}>
      <div class="two">
        <label class="field"><span>${t("siting.codes")}</span><input value=${asked.codes} onInput=${put("codes")} /></label>
        <label class="field"><span>${t("siting.count")}</span><input type="number" min="1" max="200" value=${asked.count} onInput=${put("count")} /></label>
        <label class="field"><span>${t("siting.least")}</span><input type="number" min="0" value=${asked.least} onInput=${put("least")} /></label>
        <label class="field"><span>${t("siting.most")}</span><input type="number" min="0" value=${asked.most} onInput=${put("most")} /></label>
      </div>
      <${Wishes} title=${t("siting.limits")} add=${t("siting.limits.add")} rows=${limits} setRows=${setLimits} fresh=${FIRST_LIMIT} layers=${layers} Row=${Limit} />
      <${Wishes} title=${t("siting.criteria")} add=${t("siting.criteria.add")} rows=${criteria} setRows=${setCriteria} fresh=${FIRST_CRITERION} layers=${layers} Row=${Criterion} />
      <button class="button main" disabled=${siting?.busy || criteria.length === 0} data-run="siting">${icon("search")}${t("siting.find")}</button>
    </form>
    ${siting?.busy && html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i></div>`}
    ${siting?.trouble && html`<${Trouble} error=${siting.trouble} />`}
    ${siting?.found && html`<${Candidates} found=${siting.found} picked=${siting.picked} />`}
  `;
}

function Wishes({ title, add, rows, setRows, fresh, layers, Row }) {
  const change = (n, values) => setRows(rows.map((row, m) => (m === n ? { ...row, ...values } : row)));
  return html`<fieldset class="card"><legend>${title}</legend>
    ${rows.map((row, n) => html`<div class="wish" key=${n}><${Row} row=${row} n=${n + 1} change=${(values) => change(n, values)} layers=${layers} />
      <button type="button" class="button round" aria-label=${t("siting.remove", { n: n + 1 })} onClick=${() => setRows(rows.filter((_, m) => m !== n))}>${icon("bin")}</button></div>`)}
    <button type="button" class="button quiet" onClick=${() => setRows([...rows, fresh])}>${add}</button>
  </fieldset>`;
}

const Layers = ({ value, layers, change, n }) => html`<label class="field"><span>${t("siting.layer")}</span><select aria-label=${t("siting.layer.of", { n })} value=${value} onChange=${(event) => change({ layer: event.target.value })}>
  ${layers.some(({ id }) => id === value) ? null : html`<option value=${value}>${value}</option>`}
  ${layers.map(({ id, title }) => html`<option value=${id} key=${id}>${title}</option>`)}</select></label>`;

const Metres = ({ name, value, change, n }) => html`<label class="field"><span>${t(`siting.${name}`)}</span><input type="number" min="0" max=${name === "weight" ? 1000 : 20000} step=${name === "weight" ? 0.1 : 1} value=${value} aria-label=${t("siting.of", { what: t(`siting.${name}`), n })}
  onInput=${(event) => event.target.value !== "" && change({ [name]: Number(event.target.value) })} /></label>`;

const Criterion = ({ row, change, layers, n }) => html`<${Layers} value=${row.layer} layers=${layers} change=${change} n=${n} /><${Metres} name="best" value=${row.best} change=${change} n=${n} /><${Metres} name="worst" value=${row.worst} change=${change} n=${n} /><${Metres} name="weight" value=${row.weight} change=${change} n=${n} />`;

const Limit = ({ row, change, layers, n }) => html`<${Layers} value=${row.layer} layers=${layers} change=${change} n=${n} />
  <label class="field"><span>${t("siting.rule")}</span><select value=${row.rule} aria-label=${t("siting.of", { what: t("siting.rule"), n })} onChange=${(event) => change({ rule: event.target.value })}>${["beyond", "within"].map((rule) => html`<option value=${rule} key=${rule}>${t(`siting.${rule}`)}</option>`)}</select></label>
  <${Metres} name="distance" value=${row.distance} change=${change} n=${n} />`;

function Candidates({ found, picked }) {
  return html`<section aria-label=${t("siting.found")}>
    <p role="status">${t("siting.result", { considered: found.considered, kept: found.kept })}</p>
    ${found.candidates.length === 0 && html`<div class="empty">${icon("search")}<p>${t("siting.none")}</p></div>`}
    <ol class="cards">${found.candidates.map((one) => html`<li key=${one.id}><button type="button" class="card-open" data-candidate=${one.rank} aria-pressed=${String(picked === one.rank)} onClick=${() => pickSite(one.rank)}>
      <span class="card-head"><strong>${one.rank}. ${one.name ?? one.id}</strong><span class="chip good">${percent(one.score)}</span></span>
      <span class="small soft">${[one.land_code, squareMetres(one.area)].filter(Boolean).join(" · ")}</span>
      ${one.reasons.map((reason, n) => html`<span class="small" key=${n}>${own(reason.text)}</span>`)}</button></li>`)}</ol>
  </section>`;
}
