/** Fences and routes: read, drawn, ruled, saved as features of the layer geofences. */

import { t } from "../map/i18n.js";
import { ask } from "../work/api.js";
import { circle } from "../work/map_view.js";
import { get, noteEnd, patch, say, set, told } from "./store.js";

const MOST = 500;
const ITEMS = "collections/geofences/items";
/** What can be watched for along a line, and on a ground. */
export const WATCHES = {
  Polygon: ["enter", "leave", "inside", "outside", "overspeed", "gathering"],
  LineString: ["deviation", "cross", "enter", "leave", "overspeed"],
};
/** Numbers of a rule, and which watches want each. */
export const NUMBERS = {
  speed_limit: ["overspeed"], stay: ["inside"], most: ["gathering"], dwell: ["enter", "leave", "outside", "deviation", "overspeed", "gathering"],
  width: [], hysteresis: ["enter", "leave", "inside", "outside"],
};
const FIRST_RADIUS = 300;

export async function readFences() {
  try {
    const { features } = await ask("GET", ITEMS, { query: { f: "json", limit: MOST }, patience: 60_000 });
    set({ fences: features, fenceTrouble: null });
  } catch (error) {
    await noteEnd(error);
    set({ fenceTrouble: told(error) });
  }
}

/** Begin a new one: Polygon, LineString or Circle. */
export function beginFence(kind) {
  const watch = kind === "LineString" ? ["deviation"] : ["enter", "leave"];
  set({ fence: { id: null, etag: null, kind, values: { name: "", watch, kinds: [], devices: [], enabled: true }, parts: [], centre: null, radius: FIRST_RADIUS, busy: false, trouble: null }, picking: kind === "Circle" ? "centre" : null });
}

export async function editFence(id) {
  try {
    const { value, etag } = await ask("GET", `${ITEMS}/${encodeURIComponent(id)}`, { query: { f: "json" }, whole: true });
    const { type, coordinates } = value.geometry;
    const kind = type.replace("Multi", "");
    const parts = type.startsWith("Multi") ? coordinates : [coordinates];
    set({ fence: { id, etag, kind, multi: type.startsWith("Multi"), values: { ...value.properties, watch: value.properties.watch ?? [] }, parts, drawn: 0, reshaped: false, busy: false, trouble: null }, picking: null });
  } catch (error) {
    await noteEnd(error);
    set({ fenceTrouble: told(error) });
  }
}

export const setFence = (values) => patch("fence", { values: { ...get().fence.values, ...values } });
export const setRadius = (radius) => patch("fence", { radius });
export function setCentre(centre) {
  patch("fence", { centre });
  set({ picking: null });
}
/** What the pen has drawn: coordinates of the parts. */
export const reshape = (parts) => patch("fence", { shape: parts, reshaped: true });
export const closeFence = () => set({ fence: null, picking: null });

/** The geometry as it is now; null while there is none. */
export function shapeOf(fence) {
  if (fence.kind === "Circle") return fence.centre && fence.radius > 0 ? circle(fence.centre, fence.radius).geometry : null;
  const parts = fence.shape ?? fence.parts;
  if (parts.length === 0) return null;
  return fence.multi || parts.length > 1 ? { type: `Multi${fence.kind}`, coordinates: parts } : { type: fence.kind, coordinates: parts[0] };
}

/** Whose it is: a new one is the reader's first department's, until somebody says otherwise; null is everybody's. */
export const departmentOf = ({ id, values }) => (values.department === undefined && id === null ? get().departments[0] ?? null : values.department ?? null);

const SENT = ["name", "department", "watch", "kinds", "devices", "calendar", "enabled", ...Object.keys(NUMBERS)];

export async function saveFence() {
  const { fence } = get();
  const geometry = shapeOf(fence);
  if (!geometry) return patch("fence", { trouble: { cause: t("fence.shapeless"), cure: t("fence.shapeless.cure") } });
  if (fence.values.watch.length === 0) return patch("fence", { trouble: { cause: t("fence.ruleless"), cure: t("fence.ruleless.cure") } });
  patch("fence", { busy: true, trouble: null });
  const values = { ...fence.values, department: departmentOf(fence) };
  const properties = Object.fromEntries(SENT.filter((name) => name in values).map((name) => [name, empty(values[name]) ? null : values[name]]));
  const shape = fence.id === null || fence.reshaped ? { geometry } : {};
  const body = JSON.stringify({ type: "Feature", ...shape, properties });
  const headers = { "Content-Type": fence.id === null ? "application/geo+json" : "application/merge-patch+json", ...(fence.etag ? { "If-Match": fence.etag } : {}) };
  return written(() => (fence.id === null ? ask("POST", ITEMS, { body, headers }) : ask("PATCH", `${ITEMS}/${fence.id}`, { body, headers })), t("fence.saved"));
}

export const deleteFence = () => {
  const { fence } = get();
  return written(() => ask("DELETE", `${ITEMS}/${fence.id}`, { headers: { "If-Match": fence.etag } }), t("fence.deleted"));
};

const empty = (value) => value === "" || value === undefined || (Array.isArray(value) && value.length === 0);

async function written(write, message) {
  patch("fence", { busy: true, trouble: null });
  try {
    await write();
    closeFence();
    say(message);
    await readFences();
  } catch (error) {
    await noteEnd(error);
    if (get().fence) patch("fence", { busy: false, trouble: told(error) });
  }
}
