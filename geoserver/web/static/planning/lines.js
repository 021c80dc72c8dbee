/** Red lines: the list by state, the open one with its course, and the steps that its reader may take. */

import { language, t } from "../map/i18n.js";
import { ask, run } from "../work/api.js";
import { writeAddress } from "./permalink.js";
import { get, look, patch, say, set, told } from "./state.js";

export const PAGE = 200;
const PATIENCE = 90_000;
const text = (words) => `'${words.replaceAll("'", "''")}'`;

let reading = 0;
export async function readLines() {
  const mine = (reading += 1);
  const { words, status } = get().lines;
  const parts = status ? [`status = ${text(status)}`] : [];
  const like = text(`%${words.trim().replace(/[\\%_]/g, "\\$&")}%`);
  if (words.trim()) parts.push(`(number LIKE ${like} OR name LIKE ${like} OR applicant LIKE ${like})`);
  const query = { f: "json", limit: PAGE, sortby: "-number", filter: parts.join(" AND ") || "id > 0" };
  try {
    const found = await ask("GET", "collections/redlines/items", { query });
    if (mine !== reading) return;
    const rows = found.features.map(({ id, geometry, properties }) => ({ id, geometry, ...properties }));
    patch("lines", { rows, total: found.numberMatched ?? rows.length, phase: "ready", trouble: null });
  } catch (error) {
    const trouble = await told(error);
    if (mine === reading) patch("lines", { phase: "ready", trouble });
  }
}

let soon;
export function filterLines(values) {
  patch("lines", values);
  clearTimeout(soon);
  soon = setTimeout(readLines, 350);
}

export async function openLine(number, { moved = true } = {}) {
  const other = number !== get().line?.history.number;
  set({ number, lineTrouble: null, ...(other ? { line: null, lineCheck: null, picked: null, report: null } : {}) });
  writeAddress();
  if (!number) return;
  try {
    const query = { f: "json", limit: 1, filter: `number = ${text(number)}` };
    const [{ features }, history] = await Promise.all([ask("GET", "collections/redlines/items", { query }), run("redline-history", { redline: number })]);
    if (get().number !== number) return;
    set({ line: { feature: features[0], history } });
    if (moved) look(features[0]?.geometry);
  } catch (error) {
    const trouble = await told(error);
    if (get().number === number) set({ lineTrouble: trouble });
  }
}

/** Check the open red line on the layers as they are. */
export async function checkLine() {
  const { number } = get();
  set({ lineCheck: { ...get().lineCheck, busy: true, trouble: null }, picked: null });
  try {
    const answer = await run("check-redline", { redline: number }, { patience: PATIENCE });
    if (get().number === number) set({ lineCheck: { busy: false, trouble: null, answer } });
  } catch (error) {
    const trouble = await told(error);
    if (get().number === number) set({ lineCheck: { ...get().lineCheck, busy: false, trouble } });
  }
}

/** Steps that the reader may take now: what is possible, of those for one of the reader's roles. */
export function allowed({ history }, roles) {
  const may = history.possible.filter((next) => next.roles.some((role) => roles.includes(role)));
  const given = ["approved", "land-permit"].includes(history.status);
  return given && roles.includes("planning-approver") ? [...may, { action: "replace", title: null, needs: ["opinion"], roles: ["planning-approver"] }] : may;
}

const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
export const beginAct = (next) => set({ act: { next, key: newKey(), busy: false, trouble: null } });
export const cancelAct = () => set({ act: null });

/** Take the step of the form; what was filled in stays where it fails. */
export async function takeStep(values) {
  const { act, line } = get();
  const { number, facts } = line.history;
  set({ act: { ...act, busy: true, trouble: null } });
  try {
    const made = await send(act.next.action, number, { ...values, revision: facts.revision }, `${act.key}-${facts.revision}`);
    const document = made?.steps?.at(-1)?.document;
    set({ act: null });
    say(t(document ? "act.done.document" : "act.done", { act: actTitle(act.next), document }));
    await Promise.all([readLines(), openLine(made?.opens ?? number, { moved: Boolean(made?.opens) })]);
  } catch (error) {
    const trouble = await told(error);
    set({ act: { ...get().act, busy: false, trouble } });
    if (error.status === 412) await openLine(number, { moved: false });
  }
}

async function send(action, number, values, key) {
  const options = { patience: PATIENCE, headers: { "Idempotency-Key": key } };
  if (action === "approve") return (await run("allocate-redline", { redline: number, ...values }, options)).redline;
  if (action !== "replace") return run("advance-redline", { redline: number, step: action, ...values }, options);
  const { change, others = [], parcels, opinion } = values;
  const made = await run("change-redline", { change, redlines: [number, ...others], parcels, opinion }, options);
  return { opens: made[0].number };
}

export const actTitle = ({ title }) => (title ? title[language === "en" ? "en" : "zh"] : t("act.replace"));
