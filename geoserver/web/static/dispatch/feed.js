/** Live positions: the server's frames into the fleet, and which vehicles the list and the map show. */

import { language } from "../map/i18n.js";
import { ask, base } from "../work/api.js";
import { mark } from "./alarms.js";
import { fleet, get, noteEnd, patch, set } from "./store.js";
import { departmentName } from "./words.js";

/** After the stream was refused, ask again [ms]; devices in one page of the list of devices. */
const AGAIN = 10_000;
const PAGE = 5000;
const SORTED = new Intl.Collator(language, { numeric: true });

let stream;
let again;

/** Follow what moves until the page goes. */
export function follow() {
  clearTimeout(again);
  stream?.close();
  stream = new EventSource(new URL("tracking/live", base));
  stream.addEventListener("positions", ({ data }) => taken(JSON.parse(data)));
  stream.addEventListener("open", () => set({ link: "live" }));
  stream.addEventListener("error", () => {
    set({ link: "lost" });
    // A cut line is opened again by the browser itself, and goes on where it was; a refused one is not.
    if (stream.readyState !== EventSource.CLOSED) return;
    again = setTimeout(follow, AGAIN);
    ask("GET", "account", { query: { f: "json" } }).catch(noteEnd);
  });
}

/** One frame of the server. */
export function taken({ moved, gone }) {
  const now = performance.now();
  for (const one of moved) fleet.take(one, now);
  for (const code of gone) fleet.remove(code);
  if (ordered !== fleet.membership) mark(get().alarms ?? []);
  relist();
  set({ told: get().told + 1, link: "live", now: Date.now() });
}

let order = [];
let ordered = -1;

/** Which vehicles the search, the states, the kind and the department leave, by their names; `counts` are by state. */
export function relist() {
  if (ordered !== fleet.membership) {
    ordered = fleet.membership;
    order = fleet.codes().sort((a, b) => SORTED.compare(nameOf(a), nameOf(b)));
    noteDepartments();
  }
  const { find, devices } = get();
  const words = find.words.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const [shown, counts] = [[], {}];
  for (const code of order) {
    const n = fleet.at(code);
    const row = fleet.rows[n];
    const meets = matches(row, devices.get(code), find, words);
    if (meets) counts[row.state] = (counts[row.state] ?? 0) + 1;
    const listed = meets && (find.states.size === 0 || find.states.has(row.state));
    fleet.hidden[n] = listed ? 0 : 1;
    if (listed) shown.push(code);
  }
  set({ shown, counts });
}

/** Departments of the vehicles and devices that the reader may see. */
function noteDepartments() {
  const found = [...order.map((code) => fleet.row(code).department), ...[...get().devices.values()].map(({ department }) => department)];
  set({ departments: [...new Set(found.filter(Boolean))].sort() });
}

const nameOf = (code) => fleet.row(code).name ?? code;

function matches(row, device, { kind, department }, words) {
  if (kind && row.kind !== kind) return false;
  if (department && row.department !== department) return false;
  if (words.length === 0) return true;
  const text = `${row.name ?? ""} ${row.device} ${device?.plate ?? ""} ${departmentName(row.department)} ${row.department ?? ""}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Search or filter otherwise. */
export function find(values) {
  patch("find", values);
  relist();
  set({ told: get().told + 1 });
}

export function toggleState(state) {
  const states = new Set(get().find.states);
  if (!states.delete(state)) states.add(state);
  find({ states });
}

/** Number plates, skills and duty of the devices, by code; as far as the reader may see them. */
export async function readDevices() {
  const devices = new Map();
  let query = { f: "json", limit: PAGE, skipGeometry: true, properties: "code,plate,department,skills,duty,capacity,person,note" };
  for (let page = "collections/devices/items"; page; ) {
    const { features, links } = await ask("GET", page, { query, patience: 60_000 });
    for (const { id, properties } of features) devices.set(properties.code, { id, ...properties });
    page = links?.find(({ rel }) => rel === "next")?.href;
    page &&= new URL(page).pathname + new URL(page).search;
    query = {};
  }
  set({ devices });
  noteDepartments();
  relist();
}
