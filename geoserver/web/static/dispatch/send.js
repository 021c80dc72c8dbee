/** Sending a vehicle: who is nearest to a case or a place, the task, and what becomes of it. */

import { t } from "../map/i18n.js";
import { ask, run } from "../work/api.js";
import { get, noteEnd, patch, say, set, told } from "./store.js";

const [MOST_CASES, MOST_TASKS, CANDIDATES] = [30, 100, 6];

/** Ask for a click on the map: `what` is who wants it. */
export const pick = (what) => set({ picking: what, open: "map" });

export function sendTo(point) {
  patch("send", { from: "place", point, case: null, found: null, trouble: null, unit: null });
  set({ panel: "send", open: "panel", picking: null, unitOpen: false });
  return findUnits();
}

export function sendToCase(found) {
  patch("send", { from: "case", point: found.place, case: found, found: null, trouble: null, unit: null });
  set({ panel: "send", open: "panel", unitOpen: false });
  return findUnits();
}

let asked = 0;
/** Rank who can be there soonest. */
export async function findUnits() {
  const { send } = get();
  if (!send.point && !send.case) return;
  const turn = (asked += 1);
  patch("send", { busy: true, trouble: null });
  const skills = send.skills.split(/[\s,，、]+/).filter(Boolean);
  const where = send.case ? { case: send.case.code } : { point: send.point };
  try {
    const found = await run("nearest-units", { ...where, count: CANDIDATES, kinds: send.kinds, skills, free_only: send.free });
    if (turn === asked) patch("send", { found, busy: false, point: found.point, unit: found.units[0]?.device ?? null });
  } catch (error) {
    await noteEnd(error);
    if (turn === asked) patch("send", { busy: false, trouble: told(error) });
  }
}

export const preview = (unit) => patch("send", { unit });

/** Send the chosen unit; returns whether it was sent. */
export async function dispatch(text, urgent) {
  const { send } = get();
  patch("send", { busy: true, trouble: null });
  try {
    const where = send.case ? { case: send.case.code } : { point: send.point };
    const made = await run("dispatch-unit", { device: send.unit, ...where, urgent, ...(text ? { text } : {}), ...(send.free ? {} : { overload: true }) });
    patch("send", { busy: false, found: null, unit: null });
    set({ panel: "tasks", followed: made.task });
    say(t("send.sent", { task: made.task }));
    await readTasks();
    return true;
  } catch (error) {
    await noteEnd(error);
    patch("send", { busy: false, trouble: told(error) });
    return false;
  }
}

/** Tasks that are not over, the newest first. */
export async function readTasks() {
  try {
    const { features } = await ask("GET", "collections/unit-tasks/items", { query: { f: "json", filter: "ended IS NULL", sortby: "-assigned", limit: MOST_TASKS } });
    const before = new Map((get().tasks ?? []).map((task) => [task.code, task.state]));
    const tasks = features.map(({ id, geometry, properties }) => ({ ...properties, id, line: geometry?.coordinates ?? [] }));
    for (const task of tasks) {
      if (task.state === "arrived" && before.has(task.code) && before.get(task.code) !== "arrived") say(t("task.arrived", { name: task.name ?? task.device, task: task.code }));
    }
    set({ tasks, taskTrouble: null });
  } catch (error) {
    await noteEnd(error);
    set({ taskTrouble: told(error) });
  }
}

export async function advance(task, to) {
  set({ taskTrouble: null });
  try {
    await run("advance-task", { task, to });
    say(t(`task.became.${to}`, { task }));
    await readTasks();
  } catch (error) {
    await noteEnd(error);
    set({ taskTrouble: told(error) });
  }
}

/** Open cases to send somebody to, the most urgent first. */
export async function readCases(words = "") {
  const text = words.trim().replace(/[\\%_]/g, "\\$&").replaceAll("'", "''");
  const matching = text ? ` AND (code LIKE '%${text}%' OR title LIKE '%${text}%')` : "";
  try {
    const query = { f: "json", filter: `closed_at IS NULL${matching}`, sortby: "deadline,-reported_at", limit: MOST_CASES };
    const { features } = await ask("GET", "collections/cases/items", { query });
    set({ cases: features.map(({ geometry, properties }) => ({ ...properties, place: geometry?.coordinates ?? null })) });
  } catch (error) {
    await noteEnd(error);
    patch("send", { trouble: told(error) });
  }
}
