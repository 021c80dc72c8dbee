/** What the planning page knows, how it says that something went wrong, and whether the session goes on. */

import { t } from "../map/i18n.js";
import { createStore } from "../map/store.js";
import { ask, whoAmI } from "../work/api.js";

const here = document.documentElement.dataset;
/** Roles that prepare, examine or approve red lines. */
const OFFICERS = ["planner", "planning-clerk", "planning-reviewer", "planning-approver"];

export const TABS = ["lines", "draft", "scheme", "siting", "plans", "notices"];
/** Tabs that need no account: what they ask for edits nothing. */
export const PUBLIC_TABS = ["notices", "scheme", "siting", "plans"];

export const store = createStore({
  account: here.account || null, roles: [], executes: [], phase: "loading", tab: "notices", theme: here.theme, offline: !navigator.onLine, ended: false, message: null,
  names: {}, focus: null, shown: [], sketch: null,
  draft: null, reading: null, draftTrouble: null, use: { scheme: "2023", land_code: "" }, check: null, picked: null, pasting: false, applying: null,
  lines: { rows: [], total: 0, phase: "loading", trouble: null, words: "", status: "" }, number: null, line: null, lineTrouble: null, lineCheck: null, act: null, report: null,
  scheme: { buildings: [], green: null, parking: 0, indices: null, heights: null, sun: null, shadows: null, busy: null, trouble: null },
  siting: null, plans: null, notices: { rows: [], phase: "loading", trouble: null }, notice: null,
});
export const { get, set } = store;

/** Change members of one part of the state. */
export const patch = (part, values) => set({ [part]: { ...get()[part], ...values } });

export const isOfficer = (roles) => OFFICERS.some((role) => roles.includes(role));
export const tabsOf = ({ account }) => (account ? TABS : PUBLIC_TABS);

/** Cause, cure and request of an error; notes when the session has ended. */
export async function told(error) {
  const gone = error.signInNeeded || ([403, 404].includes(error.status) && get().account && (await whoAmI().catch(() => get().account)) === null);
  if (gone) set({ ended: true });
  return error.told ?? { cause: String(error.message ?? error), cure: t("error.server.cure") };
}

/** Who is signed in, and as what. */
export async function readAccount() {
  if (!get().account) return;
  const { account, roles, executes } = await ask("GET", "account", { query: { f: "json" } });
  set({ account, roles, executes });
}

/** Somebody may have signed in again in another tab. */
export async function comeBack() {
  if (!get().ended) return false;
  const account = await whoAmI().catch(() => null);
  if (!account) return false;
  const { act, applying } = get();
  set({ ended: false, act: act && { ...act, trouble: null }, applying: applying && { ...applying, trouble: null } });
  await readAccount();
  say(t("session.back", { account }));
  return true;
}

let silence;
export function say(message) {
  set({ message });
  clearTimeout(silence);
  silence = setTimeout(() => set({ message: null }), 6000);
}

/** Let the map go to a geometry, or several. */
let asked = 0;
export const look = (...geometries) => set({ focus: { geometries: geometries.filter(Boolean), turn: (asked += 1) } });
