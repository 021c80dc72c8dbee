/** Corners and sides of what is around, at the server's full precision, for drawing to catch. */

import { getJson } from "../api.js";
import { shownAbove } from "../layer_list.js";

/** How near the pointer must come [px]. */
const REACH = 12;
/** Features of one layer, and layers beside the edited one, that are caught. */
const MOST_FEATURES = 400;
const MOST_LAYERS = 4;
/** From this zoom on, what stands and runs on the ground is caught too. */
const CLOSE = 15;

/** Layers whose shapes are caught: the edited one, those shown above the base map, then buildings and roads. */
export function caughtLayers(layers, edited, zoom) {
  const above = shownAbove(layers).filter((layer) => layer.kind === "vector").map((layer) => layer.id);
  const ground = zoom >= CLOSE ? layers.filter((layer) => ["buildings", "roads"].includes(layer.id)).map((layer) => layer.id) : [];
  return [...new Set([edited, ...above, ...ground])].slice(0, MOST_LAYERS);
}

/** What may be caught in a box `[west, south, east, north]`: `[from, to]` pairs of positions; a point is a pair of itself. */
export async function sidesIn(layers, box, except, signal) {
  const params = { f: "json", limit: MOST_FEATURES, bbox: box.join(","), properties: "" };
  const answers = await Promise.allSettled(layers.map((layer) => getJson(`collections/${encodeURIComponent(layer)}/items`, params, signal)));
  return answers.flatMap((answer, n) => {
    if (answer.status !== "fulfilled") return [];
    const features = answer.value.features.filter((feature) => `${layers[n]}/${feature.id}` !== except);
    return features.flatMap((feature) => (feature.geometry ? sides(feature.geometry.coordinates) : []));
  });
}

function sides(coordinates) {
  if (typeof coordinates[0] === "number") return [[coordinates.slice(0, 2), coordinates.slice(0, 2)]];
  if (typeof coordinates[0][0] !== "number") return coordinates.flatMap(sides);
  if (coordinates.length === 1) return [[coordinates[0], coordinates[0]]];
  return coordinates.slice(1).map((to, n) => [coordinates[n].slice(0, 2), to.slice(0, 2)]);
}

/** The corner within reach of a place, else the nearest spot of a side within reach, else undefined. `project` gives pixels. */
export function caught(found, place, project, unproject) {
  const at = project(place);
  const window = [unproject({ x: at.x - REACH, y: at.y + REACH }), unproject({ x: at.x + REACH, y: at.y - REACH })];
  const near = found.filter(([from, to]) => meets(from, to, window));
  const corners = near.flat().map((corner) => ({ corner, away: distance(project(corner), at) }));
  const best = corners.reduce((least, one) => (one.away < least.away ? one : least), { away: REACH });
  if (best.corner) return best.corner;
  const spots = near.map(([from, to]) => spotOn(from, to, at, project));
  return spots.reduce((least, one) => (one.away < least.away ? one : least), { away: REACH }).spot;
}

function meets(from, to, [[west, south], [east, north]]) {
  return Math.max(from[0], to[0]) >= west && Math.min(from[0], to[0]) <= east && Math.max(from[1], to[1]) >= south && Math.min(from[1], to[1]) <= north;
}

/** The spot of a side that is nearest on the screen, and how far it is [px]. */
function spotOn(from, to, at, project) {
  const [a, b] = [project(from), project(to)];
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const along = Math.min(1, Math.max(0, ((at.x - a.x) * dx + (at.y - a.y) * dy) / (dx * dx + dy * dy || 1)));
  const spot = [from[0] + along * (to[0] - from[0]), from[1] + along * (to[1] - from[1])].map((value) => Number(value.toFixed(9)));
  return { spot, away: distance({ x: a.x + along * dx, y: a.y + along * dy }, at) };
}

const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
