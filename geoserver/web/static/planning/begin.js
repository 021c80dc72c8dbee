/** Begins the page: who reads, what the address asks for, and what it follows while it is open. */

import { language } from "../map/i18n.js";
import { ask, base } from "../work/api.js";
import { keepDraft, restoreDraft } from "./draft.js";
import { openLine, readLines } from "./lines.js";
import { openNotice, readNotices } from "./notices.js";
import { fromAddress } from "./permalink.js";
import { comeBack, get, readAccount, set, store, told } from "./state.js";

const SETTLE = 1200;

/** The names of states and kinds, by layer and field. */
async function readNames() {
  const layers = ["redlines", "control-lines", "open-control-lines", "control-zones", "control-plan", "notices", "pipelines", "roads"];
  const found = await Promise.allSettled(layers.map((layer) => ask("GET", `collections/${layer}/schema`, { query: { f: "json", lang: language } })));
  const named = found.map((one) => (one.status === "fulfilled" ? one.value : null));
  set({
    names: Object.fromEntries(layers.map((layer, n) => [layer, {
      title: named[n]?.title ?? layer,
      fields: Object.fromEntries(Object.entries(named[n]?.properties ?? {}).map(([field, about]) => [field, about["x-citymap-domain"] ?? {}])),
    }])),
  });
}

export async function begin() {
  await readAccount().catch(told);
  set(fromAddress());
  restoreDraft();
  const { account, number, notice } = get();
  await Promise.all([readNames(), readNotices(), ...(account ? [readLines()] : [])]);
  set({ phase: "ready" });
  if (account && number) await openLine(number);
  if (notice) openNotice(notice);
  follow();
}

function follow() {
  let soon;
  const refresh = () => {
    clearTimeout(soon);
    soon = setTimeout(() => {
      if (document.visibilityState !== "visible" || get().ended) return;
      readNotices();
      if (!get().account) return;
      readLines();
      if (get().number && !get().act) openLine(get().number, { moved: false });
    }, SETTLE);
  };
  const live = new EventSource(new URL("live", base));
  live.addEventListener("tiles", ({ data }) => ["redlines", "notices"].includes(JSON.parse(data).layer) && refresh());
  live.addEventListener("reset", refresh);
  addEventListener("online", () => { set({ offline: false }); refresh(); });
  addEventListener("offline", () => set({ offline: true }));
  addEventListener("focus", async () => (await comeBack()) && refresh());
  addEventListener("hashchange", () => {
    const wanted = fromAddress();
    set({ tab: wanted.tab });
    if (wanted.number && wanted.number !== get().number) openLine(wanted.number);
    if (wanted.notice && wanted.notice !== get().notice) openNotice(wanted.notice);
  });
  addEventListener("beforeunload", keepDraft);
  store.subscribe(({ ended }) => ended && keepDraft());
}
