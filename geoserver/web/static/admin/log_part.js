/** The audit log: search, later pages, and whether its chain is whole. */

import { useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { ask } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { ReadState, useAct, useRead } from "./loading.js";
import { count, when } from "./words.js";

const ACTIONS = ["sign-in", "sign-in-refused", "sign-out", "refused", "administer", "read", "create", "update", "delete", "execute", "export"];

export function LogPart() {
  const [asked, setAsked] = useState({});
  const found = useRead(() => ask("GET", "audit", { query: asked }), [asked]);
  const next = found.value?.links.find(({ rel }) => rel === "next");
  const search = (event) => {
    event.preventDefault();
    const { begin, end, ...texts } = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value));
    const instant = (value) => (value ? new Date(value).toISOString() : "..");
    setAsked({ ...texts, ...(begin || end ? { datetime: `${instant(begin)}/${instant(end)}` } : {}) });
  };
  const field = (name, type = "text") => html`<label class="field"><span>${t(`log.${name}`)}</span><input name=${name} type=${type} maxlength="200" /></label>`;
  return html`
    <${Verify} />
    <form class="card three" onSubmit=${search}>${field("actor")}
      <label class="field"><span>${t("log.action")}</span><select name="action"><option value="">${t("log.any")}</option>${ACTIONS.map((one) => html`<option key=${one}>${one}</option>`)}</select></label>
      ${field("object")}${field("request")}${field("begin", "datetime-local")}${field("end", "datetime-local")}
      <button class="button main">${icon("search")}${t("log.search")}</button></form>
    <${ReadState} found=${found} />
    ${found.value && found.value.entries.length === 0 && html`<div class="empty">${icon("list")}<p>${t("log.none")}</p></div>`}
    ${found.value && found.value.entries.length > 0 && html`<div class="scroll tall" tabindex="0" role="group" aria-label=${t("part.log")}><table data-entries><thead><tr>${["time", "actor", "action", "object", "outcome", "address"].map((name) => html`<th scope="col" key=${name}>${t(`log.${name}`)}</th>`)}</tr></thead>
      <tbody>${found.value.entries.map((one) => html`<tr key=${one.id}><th scope="row">${when(one.at)}</th><td>${one.actor ?? one.login ?? "—"}</td><td>${one.action}</td><td>${one.kind} ${one.object ?? ""}</td><td>${one.outcome}</td><td>${one.address ?? ""}</td></tr>`)}</tbody></table></div>
      <div class="row"><button type="button" class="button" disabled=${!next} onClick=${() => setAsked(Object.fromEntries(new URL(next.href).searchParams))}>${t("log.later")}</button></div>`}
  `;
}

function Verify() {
  const [report, setReport] = useState(null);
  const [send, { busy, trouble }] = useAct(async () => setReport(await ask("GET", "audit/verification", { patience: 600_000 })));
  return html`<section class="card"><h3>${t("verify")}</h3><p class="small soft">${t("verify.about")}</p>
    <div class="row"><button type="button" class="button" data-verify disabled=${busy} onClick=${() => send()}>${icon("check")}${t(busy ? "verify.busy" : "verify.do")}</button></div>
    ${trouble && html`<${Trouble} error=${trouble} />`}
    ${report && html`<div class=${`notice ${report.valid ? "good" : "bad"}`} role="status" data-valid=${String(report.valid)}><strong>${t(report.valid ? "verify.good" : "verify.bad", { n: count(report.fault_count) })}</strong>
      <span>${t("verify.counts", { links: count(report.links), waiting: count(report.waiting) })}</span>${[...report.faults.map(({ text }) => text), ...report.remarks].slice(0, 50).map((text, n) => html`<span class="small" key=${n}>${text}</span>`)}</div>`}</section>`;
}
