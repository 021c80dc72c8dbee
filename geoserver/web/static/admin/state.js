/** What the pages of administration know, and who may open which of them. */

import { t } from "../map/i18n.js";
import { createStore } from "../map/store.js";
import { ask, base, whoAmI } from "../work/api.js";

const here = document.documentElement.dataset;

/** The parts, each with the condition under which it is shown: `may(process)`, `holds(office)`. */
export const PARTS = [
  ["layers", ({ may }) => may("import-layer") || may("change-layer")],
  ["rules", ({ may }) => may("import-grid-rules")],
  ["terminals", ({ holds, roles }) => holds("keys:manage") || roles.some((role) => ["fleet-dispatcher", "administrator"].includes(role))],
  ["jobs", () => true],
  ["health", ({ holds }) => holds("accounts:manage")],
  ["log", ({ holds }) => holds("audit:read")],
];

export const store = createStore({
  account: here.account || null, roles: [], offices: [], executes: [], phase: "loading", part: location.pathname.split("/").pop(),
  theme: here.theme, offline: !navigator.onLine, ended: false, message: null,
});
export const { get, set } = store;

export const partsOf = ({ account, roles, offices, executes }) => (account
  ? PARTS.filter(([, when]) => when({ may: (process) => executes.includes(process), holds: (office) => offices.includes(office), roles })).map(([name]) => name)
  : []);

export const hrefOf = (part) => new URL(`admin/${part}`, base).href;

export async function told(error) {
  const gone = error.signInNeeded || ([403, 404].includes(error.status) && get().account && (await whoAmI().catch(() => get().account)) === null);
  if (gone) set({ ended: true });
  return error.told ?? { cause: String(error.message ?? error), cure: t("error.server.cure") };
}

export async function readAccount() {
  if (!get().account) return;
  const { account, roles, offices, executes } = await ask("GET", "account", { query: { f: "json" } });
  set({ account, roles, offices, executes });
}

/** Somebody may have signed in again in another tab. */
export async function comeBack() {
  if (!get().ended) return;
  const account = await whoAmI().catch(() => null);
  if (!account) return;
  set({ ended: false });
  await readAccount();
  say(t("session.back", { account }));
}

let silence;
export function say(message) {
  set({ message });
  clearTimeout(silence);
  silence = setTimeout(() => set({ message: null }), 6000);
}
