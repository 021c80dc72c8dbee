/** Begins the page: who reads, and what it follows. */

import { comeBack, get, readAccount, set, told } from "./state.js";

export async function begin() {
  await readAccount().catch(told);
  set({ phase: "ready" });
  addEventListener("online", () => set({ offline: false }));
  addEventListener("offline", () => set({ offline: true }));
  addEventListener("focus", comeBack);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && get().ended && comeBack());
}
