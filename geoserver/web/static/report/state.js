/** What the report page knows, and what its parts may do. */

import { t } from "../map/i18n.js";
import { createStore } from "../map/store.js";
import { whoAmI } from "../work/api.js";
import { deliverAll } from "./deliver.js";
import * as outbox from "./outbox.js";
import { patrol } from "./patrol.js";
import { favourites, loadServices, noteUse, toggleStar } from "./services.js";

const ACCOUNT = "citymap.report.account";
const EVERY = 20_000;
const SOON = 3_000;
const PAUSE = 400;
const WORDS = new Set(["description", "name", "phone"]);

export const store = createStore({
  tab: "report", step: 1, report: null, reports: [], services: null, servicesTrouble: null, favourites: favourites(),
  account: remembered(), offline: !navigator.onLine, broken: null, result: null, patrol: null, update: null,
});

let stopPatrol = null;
const set = store.set;

async function reload() {
  set({ reports: await outbox.all() });
}

export const actions = {
  show: (tab) => set({ tab, result: null }),

  go(step) {
    set({ step });
    toTop();
  },

  /** Change the report at hand; what has been begun is kept on the phone. */
  async change(values) {
    const report = { ...store.get().report, ...values };
    set({ report });
    if (!outbox.begun(report)) return;
    // Each keeping writes the photos again: words wait for a pause in typing.
    if (Object.keys(values).every((name) => WORDS.has(name))) keepSoon();
    else await kept(report);
  },

  star: (id) => set({ favourites: toggleStar(id) }),

  async send() {
    const { account } = store.get();
    clearTimeout(soon);
    // Who sends it is settled now: a session may end before there is a network.
    const report = { ...store.get().report, state: "queued", trouble: null, via: account ? `account ${account}` : "public" };
    await kept(report);
    set({ report: outbox.newReport(), step: 1, result: report.id, favourites: noteUse(report.service.id) });
    toTop();
    await deliver();
  },

  begin: () => set({ report: outbox.newReport(), step: 1, result: null, tab: "report" }),

  async resume(id) {
    const report = await outbox.read(id);
    set({ report: { ...report, state: "draft", trouble: null }, step: report.service ? 2 : 1, tab: "report", result: null });
  },

  async discard(id) {
    await outbox.discard(id);
    if (store.get().report.id === id) set({ report: outbox.newReport(), step: 1 });
    await reload();
  },

  deliver: () => deliver(true),

  startPatrol() {
    stopPatrol = patrol((told) => set({ patrol: told }));
  },

  stopPatrol() {
    stopPatrol?.();
    stopPatrol = null;
    set({ patrol: null });
  },

  loadServices: fetchServices,

  update() {
    store.get().update?.postMessage("take-over");
  },
};

let soon = null;
function keepSoon() {
  clearTimeout(soon);
  soon = setTimeout(keepNow, PAUSE);
}

function keepNow() {
  clearTimeout(soon);
  const { report } = store.get();
  if (outbox.begun(report)) kept(report);
}

/** The next step begins at its head, for eyes, keyboards and screen readers. */
function toTop() {
  setTimeout(() => {
    document.getElementById("content").scrollTop = 0;
    const head = document.querySelector("#content h2");
    head?.setAttribute("tabindex", "-1");
    head?.focus({ preventScroll: true });
  }, 0);
}

async function kept(report) {
  try {
    await outbox.keep(report);
    await reload();
  } catch (error) {
    set({ broken: { cause: t("storage.failed"), cure: t("storage.failed.cure", { why: error?.name ?? "" }) } });
  }
}

let delivering = false;
async function deliver(asked = false) {
  if (delivering || !navigator.onLine) return;
  const waits = (await outbox.all()).some(({ state }) => state === "queued" || state === "sending");
  if (!waits && !asked) return;
  delivering = true;
  try {
    await knowAccount();
    await deliverAll(store.get().account, reload);
  } finally {
    delivering = false;
    await reload();
  }
}

let again = null;
/** Who is signed in; without a network, who was. */
async function knowAccount() {
  try {
    const account = await whoAmI();
    set({ account, offline: false });
    remember(account);
  } catch (error) {
    // Not known now: what is remembered holds. A phone may think it has a network that leads nowhere.
    if (error.status !== 0) return;
    set({ offline: true });
    clearTimeout(again);
    if (navigator.onLine) again = setTimeout(() => knowAccount().then(() => deliver()), SOON);
  }
}

async function fetchServices() {
  set({ servicesTrouble: null });
  try {
    set({ services: await loadServices() });
  } catch (error) {
    set({ servicesTrouble: error.told ?? { cause: String(error) } });
  }
}

function remembered() {
  try {
    return localStorage.getItem(ACCOUNT) || null;
  } catch {
    return null;
  }
}

function remember(account) {
  try {
    localStorage.setItem(ACCOUNT, account ?? "");
  } catch {
    // Storage may be forbidden; it is asked for again then.
  }
}

/** Everything that happens by itself. */
export async function begin() {
  set({ report: outbox.newReport() });
  document.documentElement.dataset.account = store.get().account ?? "";
  addEventListener("online", () => {
    set({ offline: false });
    deliver();
    if (!store.get().services) fetchServices();
  });
  addEventListener("offline", () => set({ offline: true }));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return keepNow();
    return knowAccount().then(() => deliver());
  });
  setInterval(deliver, EVERY);
  try {
    await reload();
    navigator.storage?.persist?.();
  } catch (error) {
    set({ broken: { cause: t("storage.failed"), cure: t("storage.failed.cure", { why: error?.name ?? "" }) } });
  }
  await Promise.all([knowAccount(), fetchServices()]);
  await deliver();
}
