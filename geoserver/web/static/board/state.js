/** What the board knows, and what its parts may do. */

import { createStore } from "../map/store.js";
import { readAreaNames, readBoard, readCounted, readWords } from "./data.js";
import { FIRST, NAMES, periodOf } from "./period.js";

/** Milliseconds between two readings of a page that is looked at. */
const EVERY = 60_000;
const AREA = /^\d{4}(\d{2}(\d{3}(\d{3}(\d{2,3})?)?)?)?$/;
const here = document.documentElement.dataset;
const asked = new URLSearchParams(location.search);
const wide = matchMedia("(min-width: 1000px)");

export const store = createStore({
  account: here.account || null,
  phase: "loading",
  period: NAMES.includes(asked.get("period")) ? asked.get("period") : FIRST,
  area: AREA.test(asked.get("area") ?? "") ? asked.get("area") : "",
  areaNames: {}, board: null, words: {}, chosen: null, counted: null, trouble: null, theme: here.theme, busy: false,
});
const { get, set } = store;

let turn = 0;

/** Read everything again; numbers that were read stay on the page until the new ones are there. */
async function refresh() {
  const mine = (turn += 1);
  const { period, area } = get();
  set({ busy: true });
  try {
    const range = periodOf(period);
    const [board, areaNames, words] = await Promise.all([readBoard(range, area), readAreaNames(area), readWords()]);
    if (mine !== turn) return;
    set({ board: { ...board, range }, areaNames, words, phase: "ready", trouble: null, busy: false });
    if (!get().chosen && wide.matches) await choose({ key: "now.open", ...board.now.open }, false);
    else if (get().chosen) await readAgain(board);
  } catch (error) {
    if (mine === turn) set({ phase: "ready", trouble: error.told ?? { cause: String(error.message ?? error) }, busy: false });
  }
}

/** The chosen number is of the moment or of the period: both may have moved on. */
async function readAgain(board) {
  const [kind, name] = get().chosen.key.split(".");
  const now = kind === "now" ? board.now[name] : kind === "city" ? board.city[name] : kind === "total" ? board.trend.total.counts[name] : null;
  await choose({ ...get().chosen, ...(now ?? {}) }, false);
}

let reading = 0;

/** Show on the map and in the list what a number counts; `moved` lets the map go there. */
async function choose(number, moved = true) {
  const mine = (reading += 1);
  const chosen = { collection: "cases", ...number };
  if (moved) set({ chosen, counted: null });
  try {
    const counted = { ...(await readCounted(chosen)), moved: moved || !get().counted, trouble: null };
    if (mine === reading) set({ chosen, counted });
  } catch (error) {
    if (mine === reading) set({ chosen, counted: { features: [], matched: 0, trouble: error.told ?? { cause: String(error) } } });
  }
}

function ask(change) {
  set({ ...change, chosen: null, counted: null });
  const { period, area } = get();
  const address = new URL(location.href);
  for (const [name, value] of [["period", period], ["area", area]]) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  history.replaceState(null, "", address);
  refresh();
}

export const actions = {
  refresh,
  choose,
  choosePeriod: (period) => ask({ period }),
  chooseArea: (area) => ask({ area }),
  close: () => set({ chosen: null, counted: null }),
  toggleTheme() {
    const theme = get().theme === "dark" ? "light" : "dark";
    here.theme = theme;
    try {
      localStorage.setItem("citymap.theme", theme);
    } catch {
      // Storage may be forbidden; the choice lasts as long as the page.
    }
    set({ theme });
  },
  changeLanguage(language) {
    const address = new URL(location.href);
    address.searchParams.set("lang", language);
    location.assign(address);
  },
};

export function start() {
  refresh();
  setInterval(() => document.visibilityState === "visible" && refresh(), EVERY);
  document.addEventListener("visibilitychange", () => {
    const { board } = get();
    if (document.visibilityState === "visible" && board && Date.now() - board.read > EVERY) refresh();
  });
  addEventListener("online", refresh);
}
