/** What the page does from its beginning on: who reads, what is followed, what is asked for again. */

import { t } from "../map/i18n.js";
import { language } from "../map/i18n.js";
import { ask, base, whoAmI } from "../work/api.js";
import { readAlarms } from "./alarms.js";
import { follow, readDevices } from "./feed.js";
import { readFences } from "./fences.js";
import { beginReplay, readReplay } from "./replay.js";
import { readTasks } from "./send.js";
import { fleet, get, say, set, told } from "./store.js";
import { choose } from "./unit.js";

/** Changes that come together are read together; what is told by nobody is read now and then [ms]. */
const [SETTLE, EVERY] = [700, 20_000];
const READ = { alarms: readAlarms, "unit-tasks": readTasks, geofences: readFences, devices: readDevices };
const SOON = new Map();

/** Names of the values of fields, by layer and field. */
async function readNames() {
  const layers = ["positions", "alarms", "unit-tasks"];
  const found = await Promise.all(layers.map((layer) => ask("GET", `collections/${layer}/schema`, { query: { f: "json", lang: language } })));
  const fields = ({ properties }) => Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, field["x-citymap-domain"] ?? {}]));
  return Object.fromEntries(layers.map((layer, n) => [layer, fields(found[n])]));
}

/** Names of departments by their ids; the ids stand for themselves where nobody tells them. */
async function readDepartments() {
  const { departments } = await ask("GET", "departments").catch(() => ({ departments: [] }));
  return new Map(departments.map(({ id, zh, en }) => [id, language === "en" ? en : zh]));
}

/** Which acts the reader may do at all: those that are not offered are not shown. */
async function readRights() {
  const allowed = async (layer) => {
    const { request } = await import("../pages/session.js");
    const response = await request(new URL(`collections/${layer}/items`, base), { method: "OPTIONS" }).catch(() => null);
    return response?.headers.get("allow")?.includes("POST") ?? false;
  };
  const [fences, devices, cases] = await Promise.all(["geofences", "devices", "cases"].map(allowed));
  return { fences, command: devices, cases };
}

export async function begin() {
  if (!get().account) return set({ phase: "nobody" });
  try {
    const [names, may, departmentNames] = await Promise.all([readNames(), readRights(), readDepartments()]);
    set({ names, may, departmentNames });
  } catch (error) {
    return set(error.signInNeeded ? { phase: "nobody" } : [403, 404].includes(error.status) ? { phase: "denied" } : { phase: "failed", trouble: told(error) });
  }
  set({ phase: "ready", trouble: null });
  follow();
  listen();
  await Promise.all([readAlarms(), readTasks(), readFences(), readDevices().catch(() => {})]);
  if (get().chosen) choose(get().chosen);
  const { asked } = get();
  if (asked) {
    beginReplay(asked.devices, asked.begin, asked.end);
    await readReplay(asked.at);
  }
  return undefined;
}

function soon(layer) {
  if (SOON.has(layer)) return;
  SOON.set(layer, setTimeout(() => {
    SOON.delete(layer);
    if (!get().ended) READ[layer]();
  }, SETTLE));
}

function everything() {
  for (const layer of Object.keys(READ)) soon(layer);
}

function listen() {
  const live = new EventSource(new URL("live", base));
  live.addEventListener("tiles", ({ data }) => {
    const { layer } = JSON.parse(data);
    if (layer in READ) soon(layer);
  });
  live.addEventListener("reset", everything);
  setInterval(() => ["alarms", "unit-tasks"].forEach(soon), EVERY);
  setInterval(() => set({ now: Date.now() }), 15_000);
  addEventListener("online", () => {
    set({ offline: false });
    follow();
    everything();
  });
  addEventListener("offline", () => set({ offline: true, link: "lost" }));
  addEventListener("focus", comeBack);
}

/** Somebody may have signed in again in another tab. */
export async function comeBack() {
  if (!get().ended) return;
  const account = await whoAmI().catch(() => null);
  if (!account) return;
  set({ account, ended: false });
  say(t("session.back", { account }));
  fleet.clear();
  follow();
  everything();
}

export function switchTheme() {
  const root = document.documentElement;
  const theme = root.dataset.theme === "dark" ? "light" : "dark";
  root.dataset.theme = theme;
  try {
    localStorage.setItem("citymap.theme", theme);
  } catch {
    // Storage may be forbidden; the choice lasts as long as the page.
  }
  set({ theme });
}
