/** What the address says of the page, so that it can be sent to somebody: tab, red line, notice. */

import { get, set, tabsOf } from "./state.js";

export function fromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const first = get().account ? "lines" : "notices";
  const tab = tabsOf(get()).includes(given.get("tab")) ? given.get("tab") : first;
  return { tab, number: given.get("line"), notice: given.get("notice") };
}

export function writeAddress() {
  const { tab, number, notice } = get();
  const params = new URLSearchParams({ tab });
  if (tab === "lines" && number) params.set("line", number);
  if (tab === "notices" && notice) params.set("notice", notice);
  const wanted = `#${params}`;
  if (wanted !== location.hash) history.replaceState(null, "", location.pathname + location.search + wanted);
}

export function openTab(tab) {
  set({ tab, picked: null });
  writeAddress();
}
