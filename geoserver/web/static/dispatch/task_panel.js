/** Tasks under way: who goes where, by which way, and whether they are there. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { base } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { advance, readTasks } from "./send.js";
import { set } from "./store.js";
import { choose } from "./unit.js";
import { length, moment, named, span } from "./words.js";

const STEPS = ["assigned", "under-way", "arrived"];

export function TaskPanel({ state }) {
  const { tasks, taskTrouble } = state;
  if (taskTrouble && !tasks) return html`<${Trouble} error=${taskTrouble} onRetry=${readTasks} />`;
  if (!tasks) return html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i></div>`;
  return html`
    ${taskTrouble && html`<${Trouble} error=${taskTrouble} onRetry=${readTasks} />`}
    ${tasks.length === 0 ? html`<div class="empty">${icon("flag")}<h3>${t("task.none")}</h3><p>${t("task.none.text")}</p><button type="button" class="button" onClick=${() => set({ panel: "send" })}>${t("panel.send")}</button></div>`
      : html`<ul class="cards">${tasks.map((task) => html`<${Task} key=${task.code} task=${task} state=${state} />`)}</ul>`}
  `;
}

function open(task) {
  set({ followed: task.code, open: "map" });
  choose(task.device);
}

function Task({ task, state }) {
  const left = (Date.parse(task.eta) - state.now) / 1000;
  const eta = task.state === "arrived" ? t("task.there", { when: moment(task.arrived) }) : !task.eta ? t("task.noRoad") : left > 0 ? t("task.left", { span: span(left), when: moment(task.eta) }) : t("task.overdue", { span: span(-left) });
  const at = STEPS.indexOf(task.state);
  return html`
    <li class=${`card task ${task.code === state.followed ? "chosen" : ""}`} data-task=${task.code} data-state=${task.state}>
      <button type="button" class="card-open" onClick=${() => open(task)}>
        <span class="card-title"><b>${task.name ?? task.device}</b> ${task.title}</span>
        <span class="small soft">${task.code} · ${moment(task.assigned)} · ${task.assigned_by}${task.length ? ` · ${length(task.length)}` : ""}</span>
      </button>
      <ol class="progress" aria-label=${t("task.progress")}>${STEPS.map((one, n) => html`<li key=${one} class=${n <= at ? "done" : ""} aria-current=${n === at ? "step" : undefined}>${n <= at ? icon("check") : icon("clock")}${named("unit-tasks", "state", one)}</li>`)}</ol>
      <p class=${left <= 0 && task.state !== "arrived" && task.eta ? "late" : "soft"}>${eta}</p>
      ${task.case_id && html`<p><a href=${new URL(`cases#case=${encodeURIComponent(task.case_id)}`, base).href}>${t("task.case", { case: task.case_id })}</a></p>`}
      ${state.may.command && html`<div class="row" role="group" aria-label=${t("task.acts")}>
        ${task.state !== "arrived" && html`<button type="button" class="button" data-act="arrived" onClick=${() => advance(task.code, "arrived")}>${t("task.do.arrived")}</button>`}
        <button type="button" class=${`button ${task.state === "arrived" ? "main" : ""}`} data-act="done" onClick=${() => advance(task.code, "done")}>${t("task.do.done")}</button>
        <button type="button" class="button danger" data-act="cancelled" onClick=${() => advance(task.code, "cancelled")}>${t("task.do.cancelled")}</button></div>`}
    </li>
  `;
}
