/** Tracks of some vehicles played again: one clock, places between instants, what happened meanwhile. */

import { t } from "../map/i18n.js";
import { createStore } from "../map/store.js";
import { ask, run } from "../work/api.js";
import { Fleet, mercatorX, mercatorY } from "./fleet.js";
import { get, noteEnd, patch, reducedMotion, set, told } from "./store.js";
import { named } from "./words.js";

/** Times the real speed; instants of one vehicle; alarms that are told. */
export const RATES = [1, 2, 5, 10, 20, 30, 60];
const [MOST_INSTANTS, MOST_EVENTS, MOST_UNITS] = [8000, 500, 8];
const HOUR = 3_600_000;
/** Places are worked out anew as often [ms]; the graph and the clock follow. */
const EVERY = 33;

/** The vehicles of the replay, drawn as those of the live map are. */
export const ghosts = new Fleet(16);
ghosts.glides = false;

/** What time it is in the replay [ms]: apart from the page's state, since it changes with every frame. */
export const clock = createStore({ at: 0 });

let timer;
let last = 0;

/** Choose what to play: the last hour of the vehicle that is chosen, until somebody says otherwise. */
export function beginReplay(devices = get().chosen ? [get().chosen] : [], begin = Date.now() - HOUR, end = Date.now()) {
  stop();
  ghosts.clear();
  set({ panel: "replay", unitOpen: false, replay: { devices, begin, end, data: null, events: [], rate: 10, playing: false, busy: false, trouble: null } });
}

export const setReplay = (values) => patch("replay", values);

export function toggleUnit(code) {
  const { devices } = get().replay;
  setReplay({ devices: devices.includes(code) ? devices.filter((one) => one !== code) : [...devices, code].slice(0, MOST_UNITS) });
}

/** Seconds between instants: as fine as the bound on places lets it be. */
export const stepFor = (begin, end) => Math.max(1, Math.ceil((end - begin) / 1000 / MOST_INSTANTS));

export async function readReplay(at) {
  const { devices, begin, end } = get().replay;
  if (devices.length === 0 || !(end > begin)) return setReplay({ trouble: { cause: t(devices.length ? "replay.times" : "replay.nobody"), cure: t("replay.cure") } });
  setReplay({ busy: true, trouble: null });
  const [from, to] = [new Date(begin).toISOString(), new Date(end).toISOString()];
  try {
    const [found, alarms, stops] = await Promise.all([
      run("replay", { devices, begin: from, end: to, step: stepFor(begin, end) }, { patience: 120_000 }),
      readAlarmsOf(devices, from, to),
      run("stops", { devices, begin: from, end: to }, { patience: 120_000 }).catch(() => []),
    ]);
    if (!get().replay) return undefined;
    const data = prepared(found);
    const events = [...alarms, ...stops.map(stopEvent)].sort((a, b) => a.at - b.at);
    setReplay({ data, events, busy: false, empty: !data.known });
    seek(at ?? firstKnown(data) ?? begin);
  } catch (error) {
    await noteEnd(error);
    if (get().replay) setReplay({ busy: false, trouble: told(error) });
  }
  return undefined;
}

async function readAlarmsOf(devices, from, to) {
  const list = devices.map((code) => `'${code.replaceAll("'", "''")}'`).join(", ");
  const filter = `device IN (${list}) AND began >= TIMESTAMP('${from}') AND began < TIMESTAMP('${to}')`;
  const { features } = await ask("GET", "collections/alarms/items", { query: { f: "json", filter, sortby: "began", limit: MOST_EVENTS } });
  return features.map(({ geometry, properties: p }) => ({ kind: "alarm", at: Date.parse(p.began), device: p.device, title: named("alarms", "kind", p.kind), place: geometry?.coordinates ?? null }));
}

const stopEvent = ({ device, begin, seconds, lon, lat }) => ({ kind: "stop", at: Date.parse(begin), device, seconds, place: [lon, lat] });

/** Times in milliseconds, and the tracks as arrays that can be looked up. */
function prepared({ times, devices }) {
  const tracks = devices.map((one) => ({ ...one, x: one.lon.map((lon) => (lon === null ? NaN : mercatorX(lon))), y: one.lat.map((lat) => (lat === null ? NaN : mercatorY(lat))) }));
  return { times: times.map((one) => Date.parse(one)), tracks, known: tracks.some(({ lon }) => lon.some((one) => one !== null)) };
}

/** When the first of them is known to have been somewhere; undefined for never. */
function firstKnown({ times, tracks }) {
  const n = Math.min(...tracks.map(({ lon }) => lon.findIndex((one) => one !== null)).map((at) => (at < 0 ? Infinity : at)));
  return times[n];
}

/** Between which instants a time lies, and how far. */
function between(times, at) {
  const step = times.length > 1 ? times[1] - times[0] : 1;
  const exact = Math.min(times.length - 1, Math.max(0, (at - times[0]) / step));
  const n = Math.floor(exact);
  return [n, Math.min(times.length - 1, n + 1), exact - n];
}

/** What each vehicle did at a time: {device, name, speed}, null where nothing is known. */
export function speedsAt({ times, tracks }, at) {
  const [n] = between(times, at);
  return tracks.map(({ device, name, speed, lon }) => ({ device, name, speed: speed[n], known: lon[n] !== null }));
}

/** Put the vehicles where they were. */
function place(at) {
  const { replay } = get();
  if (!replay?.data) return;
  const [a, b, part] = between(replay.data.times, at);
  for (const track of replay.data.tracks) {
    const [x, y] = ["x", "y"].map((axis) => (Number.isNaN(track[axis][b]) ? track[axis][a] : track[axis][a] + (track[axis][b] - track[axis][a]) * part));
    const n = ghosts.at(track.device) ?? ghosts.take({ device: track.device, name: track.name, state: "parked" }, 0);
    ghosts.fromX[n] = ghosts.toX[n] = x;
    ghosts.fromY[n] = ghosts.toY[n] = y;
    ghosts.heading[n] = track.heading[a] ?? -1;
    ghosts.state[n] = (track.speed[a] ?? 0) >= 3 ? 0 : 2;
    ghosts.rows[n].state = ghosts.state[n] === 0 ? "moving" : "parked";
  }
}

/** Go to a time [ms]. */
export function seek(at) {
  const { begin, end } = get().replay;
  const bounded = Math.min(end, Math.max(begin, at));
  place(bounded);
  clock.set({ at: bounded });
}

export function play() {
  const { replay } = get();
  if (!replay?.data || replay.playing) return;
  if (clock.get().at >= replay.end) seek(replay.begin);
  setReplay({ playing: true });
  last = performance.now();
  timer = setInterval(tick, reducedMotion.matches ? 500 : EVERY);
}

function tick() {
  const { replay } = get();
  const now = performance.now();
  const at = clock.get().at + (now - last) * replay.rate;
  last = now;
  seek(at);
  if (at >= replay.end) stop();
}

export function stop() {
  clearInterval(timer);
  if (get().replay?.playing) setReplay({ playing: false });
}

export const toggle = () => (get().replay.playing ? stop() : play());
export const setRate = (rate) => setReplay({ rate });

export function closeReplay() {
  stop();
  ghosts.clear();
  set({ replay: null });
}
