/** Corners and sides of what is around, at the server's full precision, for drawing to catch. */

import { getJson } from "../api.js";
import { shownAbove } from "../layer_list.js";
import { sides } from "./catching.js";

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
