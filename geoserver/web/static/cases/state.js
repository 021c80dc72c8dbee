/** What the inbox knows, and what its parts may do. */

import { language, t } from "../map/i18n.js";
import { createStore } from "../map/store.js";
import { base, whoAmI } from "../work/api.js";
import { addPhotos, advance, readAll, readCameras, readCase, readChoices, readClocks, readNames, readSimilar, readWaiting } from "./queries.js";

const EVERY = 30_000;
const SETTLE = 1200;
const here = document.documentElement.dataset;

export const store = createStore({
  account: here.account || null, phase: "loading", names: null, tab: "waiting", filters: { open: true, lights: [], state: "", words: "" },
  rows: [], total: 0, counts: [], clocks: null, trouble: null, chosen: new Set(), current: linked(), detail: null, similar: [], cameras: [], departments: null,
  detailTrouble: null, form: null, help: false, photo: null, message: null, offline: !navigator.onLine, ended: false, now: Date.now(),
});
const { get, set } = store;

function linked() {
  return new URLSearchParams(location.hash.slice(1)).get("case");
}

let asked = 0;
export const actions = {
  async refresh() {
    if (get().ended) return;
    const turn = (asked += 1);
    const { tab, filters } = get();
    try {
      const names = get().names ?? (await readNames());
      const found = await (tab === "waiting" ? readWaiting(filters) : readAll(filters));
      const clocks = await readClocks(found.rows.map(({ code }) => code));
      if (turn !== asked) return;
      const codes = new Set(found.rows.map(({ code }) => code));
      const chosen = new Set([...get().chosen].filter((code) => codes.has(code)));
      set({ ...found, names, clocks, chosen, phase: "ready", trouble: null, now: Date.now() });
    } catch (error) {
      await noteEnd(error);
      if (turn === asked) set({ phase: "ready", trouble: told(error) });
    }
  },

  show(tab) {
    set({ tab, phase: "loading", rows: [], chosen: new Set() });
    return actions.refresh();
  },

  filter(values) {
    set({ filters: { ...get().filters, ...values }, chosen: new Set() });
    later();
  },

  choose(code, on = !get().chosen.has(code)) {
    const chosen = new Set(get().chosen);
    if (on) chosen.add(code);
    else chosen.delete(code);
    set({ chosen });
  },

  chooseNone: () => set({ chosen: new Set() }),

  async open(code) {
    set({ current: code, detailTrouble: null, ...(get().detail?.code === code ? {} : { detail: null, similar: [], cameras: [] }) });
    history.replaceState(null, "", code ? `#case=${encodeURIComponent(code)}` : location.pathname + location.search);
    if (code) await readDetail(code);
    if (code) stay();
  },

  close: () => actions.open(null),

  /** Open the form of an act for the open case, or for those that are chosen. */
  begin(act, codes) {
    set({ form: { act, codes, key: crypto.getRandomValues(new Uint32Array(4)).join("-"), trouble: null, busy: false, done: [], failed: [], attached: null } });
  },

  cancel: () => set({ form: null }),

  /** Do the act of the form with what was filled in; the form stays open with all of it when that fails. */
  async perform(values, files) {
    const { form } = get();
    set({ form: { ...form, busy: true, trouble: null } });
    const [done, failed] = [[...form.done], []];
    for (const code of form.codes.filter((one) => !done.includes(one))) {
      try {
        await one(form, code, values, files);
        done.push(code);
      } catch (error) {
        failed.push({ code, ...told(error) });
        await noteEnd(error);
        if (error.status === 412) await readDetail(code);
        if (get().ended || error.status === 0) break;
      }
    }
    const over = failed.length === 0;
    set({ form: over ? null : { ...form, busy: false, trouble: failed[0], done, failed } });
    if (over) stay();
    if (over) say(t("done", { act: t(`act.${form.act}`), n: done.length }));
    await Promise.all([actions.refresh(), get().current ? readDetail(get().current) : null]);
    return over;
  },

  help: (help) => set({ help }),
  photo: (photo) => set({ photo }),

  /** Somebody may have signed in again in another tab. */
  async comeBack() {
    if (!get().ended) return;
    const account = await whoAmI().catch(() => null);
    if (!account) return;
    set({ account, ended: false, trouble: null, form: get().form && { ...get().form, trouble: null } });
    say(t("session.back", { account }));
    await actions.refresh();
  },
};

async function one(form, code, values, files) {
  const { detail, rows } = get();
  const revision = detail?.code === code ? detail.history.revision : rows.find((row) => row.code === code)?.revision;
  let [attachments, seen] = [undefined, revision];
  if (files.length > 0) {
    // Tried again, the photos are there already; when they come they move the case on by a revision of their own.
    const fresh = form.attached?.files !== files;
    if (fresh) form.attached = { files, ids: await addPhotos(code, files) };
    attachments = form.attached.ids;
    seen += fresh ? 1 : 0;
  }
  return advance({ case: code, act: form.act, revision: seen, attachments, ...values }, `${form.key}-${code}-${seen}`);
}

/** Whether the session is over, of which nobody in particular is told by "not there" only. */
async function noteEnd(error) {
  const gone = error.signInNeeded || ([403, 404].includes(error.status) && (await whoAmI().catch(() => get().account)) === null);
  if (gone) set({ ended: true });
}

async function readDetail(code) {
  if (get().ended) return;
  try {
    const detail = await readCase(code);
    if (get().current !== code) return;
    set({ detail, detailTrouble: null });
    const [similar, cameras] = await Promise.all([readSimilar(detail.feature).catch(() => []), readCameras(code).catch(() => [])]);
    if (get().current === code) set({ similar, cameras });
    if (!get().departments && detail.feature.properties.department) set({ departments: await readDepartments(code) });
  } catch (error) {
    await noteEnd(error);
    if (get().current === code) set({ detailTrouble: told(error) });
  }
}

/** The names of departments by their ids. */
async function readDepartments(code) {
  const { departments } = await readChoices(code).catch(() => ({ departments: [] }));
  return new Map(departments.map(({ id, name }) => [id, language === "en" ? name.en : name.zh]));
}

const told = (error) => error.told ?? { cause: String(error.message ?? error), cure: t("error.server.cure") };

/** The button that began it may be gone: the focus goes to the case, not to nowhere. */
function stay() {
  setTimeout(() => document.activeElement === document.body && document.getElementById("case-title")?.focus(), 0);
}

let silence;
function say(message) {
  set({ message });
  clearTimeout(silence);
  silence = setTimeout(() => set({ message: null }), 5000);
}

let timer;
function later() {
  clearTimeout(timer);
  timer = setTimeout(actions.refresh, 350);
}

/** Refresh when the server tells of cases, when the reader comes back, and now and then. */
function follow() {
  let soon;
  const refresh = () => {
    clearTimeout(soon);
    soon = setTimeout(() => {
      if (document.visibilityState !== "visible" || get().ended) return;
      actions.refresh();
      if (get().current && !get().form) readDetail(get().current);
    }, SETTLE);
  };
  const live = new EventSource(new URL("live", base));
  live.addEventListener("tiles", ({ data }) => JSON.parse(data).layer === "cases" && refresh());
  live.addEventListener("reset", refresh);
  setInterval(refresh, EVERY);
  setInterval(() => set({ now: Date.now() }), 15_000);
  addEventListener("online", () => { set({ offline: false }); refresh(); });
  addEventListener("offline", () => set({ offline: true }));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && (get().ended ? actions.comeBack() : refresh()));
  addEventListener("focus", actions.comeBack);
  addEventListener("hashchange", () => linked() !== get().current && actions.open(linked()));
}

export async function begin() {
  if (!get().account) return set({ phase: "nobody" });
  await actions.refresh();
  follow();
  if (get().current) await readDetail(get().current);
  return undefined;
}
