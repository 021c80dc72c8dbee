/** One's own jobs: how far each is, what it gave, and a way to stop it. */

import { useEffect } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { ask, base } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { ReadState, useAct, useRead } from "./loading.js";
import { when } from "./words.js";

const EVERY = 2000;
const GRADES = { accepted: "", running: "wait", successful: "good", failed: "bad", dismissed: "" };
const SIGNS = { accepted: "clock", running: "refresh", successful: "check", failed: "stop", dismissed: "close" };

const readJobs = async () => (await ask("GET", "jobs", { query: { f: "json", limit: 100 } })).jobs;

export function JobsPart() {
  const found = useRead(readJobs);
  const [end, { trouble }] = useAct(async (id) => {
    await ask("DELETE", `jobs/${id}`);
    await found.again();
  });
  const active = (found.value ?? []).some(({ status }) => ["accepted", "running"].includes(status));
  useEffect(() => {
    const timer = active ? setInterval(() => document.visibilityState === "visible" && found.again(), EVERY) : null;
    return () => clearInterval(timer);
  }, [active]);
  return html`
    <p class="soft">${t("jobs.about")}</p>
    <${ReadState} found=${found} />
    ${trouble && html`<${Trouble} error=${trouble} />`}
    ${found.value && found.value.length === 0 && html`<div class="empty">${icon("inbox")}<p>${t("jobs.none")}</p></div>`}
    ${found.value && found.value.length > 0 && html`<ul class="cards">${found.value.map((job) => html`<li class="card-open" key=${job.jobID} data-job=${job.jobID} data-status=${job.status}>
      <span class="card-head"><strong>${job.processID}</strong><span class=${`chip ${GRADES[job.status]}`}>${icon(SIGNS[job.status])}${t(`jobs.${job.status}`)}</span></span>
      <span class="small soft">${when(job.created)}${job.message ? ` · ${job.message}` : ""}</span>
      ${["accepted", "running"].includes(job.status) && html`<progress max="100" value=${job.progress ?? 0} aria-label=${t("jobs.progress")}></progress>`}
      <span class="row">${["accepted", "running"].includes(job.status) && html`<button type="button" class="button danger" onClick=${() => end(job.jobID)}>${t("jobs.stop")}</button>`}
        ${["successful", "failed"].includes(job.status) && html`<a class="button" href=${new URL(`jobs/${job.jobID}/results?f=json`, base).href}>${t("jobs.results")}</a><button type="button" class="button quiet" onClick=${() => end(job.jobID)}>${t("jobs.forget")}</button>`}</span>
    </li>`)}</ul>`}
  `;
}
