/** Alarms that wait: read, sounded, acknowledged, given to somebody, closed, made a case. */

import { language, t } from "../map/i18n.js";
import { ask, run } from "../work/api.js";
import { ring, wake } from "./sound.js";
import { fleet, get, noteEnd, patch, say, set, told } from "./store.js";
import { named } from "./words.js";

const MOST = 200;
export const GRAVE = new Set(["sos", "power-cut"]);
const KEPT = "citymap.dispatch.sound";
let known = null;
let asked = 0;

/** Read the alarms that are not closed, the newest first; new ones sound. */
export async function readAlarms() {
  const turn = (asked += 1);
  try {
    const query = { f: "json", filter: "state <> 'closed' OR state IS NULL", sortby: "-began", limit: MOST };
    const { features } = await ask("GET", "collections/alarms/items", { query });
    if (turn !== asked) return;
    const alarms = features.map(({ id, geometry, properties }) => ({ ...properties, id, state: properties.state ?? "new", place: geometry?.coordinates ?? null }));
    announce(alarms);
    mark(alarms);
    set({ alarms, alarmTrouble: null, now: Date.now() });
  } catch (error) {
    await noteEnd(error);
    if (turn === asked) set({ alarmTrouble: told(error) });
  }
}

function announce(alarms) {
  const fresh = alarms.filter(({ key, state }) => state === "new" && known && !known.has(key));
  known = new Set(alarms.map(({ key }) => key));
  if (fresh.length === 0) return;
  const [first] = fresh;
  say(t("alarm.new", { kind: named("alarms", "kind", first.kind), name: first.name ?? first.device, more: fresh.length > 1 ? t("alarm.more", { count: fresh.length - 1 }) : "" }));
  if (get().sound) set({ sounded: (get().sounded ?? 0) + Number(ring(fresh.some(({ kind }) => GRAVE.has(kind)))) });
}

/** Vehicles with an alarm that nobody has looked at yet have a ring on the map. */
export function mark(alarms) {
  fleet.alarmed.fill(0);
  for (const { device, state } of alarms) if (state === "new" && fleet.at(device) !== undefined) fleet.alarmed[fleet.at(device)] = 1;
}

export async function toggleSound() {
  const sound = !get().sound;
  set({ sound });
  if (sound) await wake();
  if (sound) ring(false);
  try {
    localStorage.setItem(KEPT, sound ? "on" : "off");
  } catch {
    // Storage may be forbidden; the choice lasts as long as the page.
  }
}

/** Change an alarm as it was read; somebody else's change in between is told. */
export async function handle(alarm, values) {
  patch("alarmForm", { busy: true, trouble: null });
  try {
    const handled = values.state === "closed" || alarm.handled ? {} : { handled: new Date().toISOString() };
    const body = JSON.stringify({ type: "Feature", properties: { ...handled, ...values } });
    await ask("PATCH", `collections/alarms/items/${alarm.id}`, { body, headers: { "Content-Type": "application/merge-patch+json" } });
    set({ alarmForm: null });
    say(t("alarm.handled", { state: named("alarms", "state", values.state) }));
    await readAlarms();
  } catch (error) {
    await noteEnd(error);
    set({ alarmForm: { ...(get().alarmForm ?? { key: alarm.key, act: "look" }), busy: false, trouble: told(error) } });
  }
}

export const acknowledge = (alarm) => handle(alarm, { state: "acknowledged", assignee: alarm.assignee ?? get().account });

/** Open the form of an act for an alarm: assign, case or close. */
export async function beginAlarm(alarm, act) {
  set({ alarmForm: { key: alarm.key, act, busy: false, trouble: null } });
  if (act === "case" && !get().classes) await readClasses();
}

export const cancelAlarm = () => set({ alarmForm: null });

async function readClasses() {
  try {
    const found = await ask("GET", "open311/v2/services.json", { query: { lang: language } });
    set({ classes: found.map(({ service_code: id, service_name: name, group }) => ({ id, name, group: group ?? "" })) });
  } catch (error) {
    patch("alarmForm", { trouble: told(error) });
  }
}

export async function makeCase(alarm, service, description) {
  const [kind, code] = service.split("-");
  patch("alarmForm", { busy: true, trouble: null });
  try {
    const made = await run("alarm-to-case", { alarm: alarm.key, class_code: code, kind, ...(description ? { description } : {}) });
    set({ alarmForm: null });
    say(t("alarm.madeCase", { case: made.case }));
    await readAlarms();
  } catch (error) {
    await noteEnd(error);
    patch("alarmForm", { busy: false, trouble: told(error) });
  }
}
