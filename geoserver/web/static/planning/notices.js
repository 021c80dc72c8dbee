/** What is before the public: notices with their periods. */

import { ask } from "../work/api.js";
import { writeAddress } from "./permalink.js";
import { get, look, patch, set, told } from "./state.js";
import { today } from "./words.js";

const MOST = 200;

export async function readNotices() {
  try {
    const { features } = await ask("GET", "collections/notices/items", { query: { f: "json", limit: MOST, sortby: "-begins" } });
    patch("notices", { rows: features.map(({ id, geometry, properties }) => ({ id, geometry, ...properties })), phase: "ready", trouble: null });
  } catch (error) {
    patch("notices", { phase: "ready", trouble: await told(error) });
  }
}

export function openNotice(number) {
  set({ notice: number });
  writeAddress();
  look(get().notices.rows.find((row) => row.number === number)?.geometry);
}

/** `open`, `coming` or `over`, by the days of the notice; both ends are days of it. */
export function stateOf({ begins, ends }) {
  const now = today();
  if (begins > now) return "coming";
  return ends < now ? "over" : "open";
}
