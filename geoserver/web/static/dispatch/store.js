/** What the dispatcher's page knows. Positions themselves are in `fleet`; `told` counts up when they changed. */

import { t } from "../map/i18n.js";
import { createStore } from "../map/store.js";
import { whoAmI } from "../work/api.js";
import { Fleet } from "./fleet.js";
import { linked } from "./permalink.js";

const here = document.documentElement.dataset;
export const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

export const fleet = new Fleet();
fleet.glides = !reducedMotion.matches;

export const PANELS = ["alarms", "send", "tasks", "fences", "replay", "ground"];

export const store = createStore({
  account: here.account || null, theme: here.theme, phase: "loading", trouble: null, names: null, devices: new Map(), may: {},
  link: "connecting", told: 0, offline: !navigator.onLine, ended: false, message: null, now: Date.now(),
  find: { words: "", states: new Set(), kind: "", department: "" }, shown: [], departments: [], departmentNames: new Map(), counts: {}, chosen: null, following: false, trails: true,
  panel: "alarms", open: "map", unit: null, unitOpen: false, picking: null,
  alarms: null, alarmTrouble: null, sound: false, classes: null, alarmForm: null,
  send: { from: "place", point: null, case: null, kinds: [], skills: "", free: true, found: null, trouble: null, busy: false, unit: null },
  cases: null, tasks: null, taskTrouble: null, fences: null, fenceTrouble: null, fence: null, replay: null, ground: { heat: null, coverage: null, busy: null, trouble: null },
  ...linked(),
});
export const { get, set } = store;

/** Change members of one part of the state. */
export const patch = (part, values) => set({ [part]: { ...get()[part], ...values } });

/** What is shown of something that went wrong. */
export const told = (error) => error.told ?? { cause: String(error.message ?? error), cure: t("error.server.cure") };

/** Whether the session is over: nobody in particular is told by "not there" only, and an answer may be from before a new sign-in. */
export async function noteEnd(error) {
  const refused = error.signInNeeded || [403, 404].includes(error.status);
  if (refused && (await whoAmI().catch(() => get().account)) === null) set({ ended: true });
}

let silence;
export function say(message) {
  set({ message });
  clearTimeout(silence);
  silence = setTimeout(() => set({ message: null }), 6000);
}
