/** The keyboard: everything without a pointer. Single keys can be switched off (WCAG 2.2, 2.1.4). */

import { inOrder } from "./acts.js";
import { actions, store } from "./state.js";

const KEPT = "citymap.cases.keys";

export function keysOn() {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true;
  }
}

export function switchKeys(on) {
  try {
    localStorage.setItem(KEPT, on ? "on" : "off");
  } catch {
    // Storage may be forbidden: they stay on.
  }
}

const rows = () => [...document.querySelectorAll(".row-open")];

/** Move the focus along the list. */
function move(step) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.indexOf(document.activeElement);
  const current = at >= 0 ? at : all.findIndex((row) => row.dataset.code === store.get().current);
  all[Math.min(all.length - 1, Math.max(0, current < 0 ? 0 : current + step))].focus();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  x: () => {
    const code = document.activeElement?.dataset?.code;
    if (code && store.get().tab === "waiting") actions.choose(code);
  },
  r: () => actions.refresh(),
  "?": () => actions.help(true),
  "/": () => document.getElementById("words")?.focus(),
  Escape: () => {
    const { current, chosen } = store.get();
    if (chosen.size > 0) actions.chooseNone();
    else if (current) actions.close().then(() => document.querySelector(`.row-open[data-code="${CSS.escape(current)}"]`)?.focus());
  },
};

function act(n) {
  const { detail } = store.get();
  const allowed = inOrder(detail?.history.allowed ?? []);
  if (allowed[n - 1]) actions.begin(allowed[n - 1], [detail.code]);
}

export function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const inList = event.target.closest?.(".rows");
    if (inList && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
      return;
    }
    if (event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog, .maplibregl-map")) return;
    if (event.key !== "Escape" && !keysOn()) return;
    const found = /^[1-9]$/.test(event.key) ? () => act(Number(event.key)) : KEYS[event.key];
    if (!found) return;
    event.preventDefault();
    found();
  });
}
