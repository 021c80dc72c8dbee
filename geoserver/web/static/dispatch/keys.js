/** The keyboard: single keys outside of what is typed into. */

import { acknowledge } from "./alarms.js";
import { closeFence } from "./fences.js";
import { clock, seek, toggle } from "./replay.js";
import { get, PANELS, set } from "./store.js";
import { choose } from "./unit.js";

const STEP = 10_000;

function leave() {
  if (get().picking) set({ picking: null });
  else if (get().fence) closeFence();
  else choose(null);
}

const KEYS = {
  "/": () => document.getElementById("find")?.focus(),
  Escape: leave,
  a: () => {
    const first = get().alarms?.find(({ state }) => state === "new");
    if (first) acknowledge(first);
  },
  " ": () => get().replay?.data && toggle(),
  ",": () => get().replay?.data && seek(clock.get().at - STEP),
  ".": () => get().replay?.data && seek(clock.get().at + STEP),
};

export function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.closest?.("input:not([type=checkbox]):not([type=range]), textarea, select, dialog");
    if (typing && event.key !== "Escape") return;
    if (event.key === " " && event.target.closest?.("button, a, summary, input")) return;
    const act = /^[1-6]$/.test(event.key) ? () => set({ panel: PANELS[Number(event.key) - 1], unitOpen: false }) : KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
