/** The one sketch on the map: for which purpose it is, and what it tells. */

import { ask } from "../work/api.js";
import { sides } from "../map/edit/catching.js";
import { get, set } from "./state.js";

/** Layers whose corners and sides are caught, from the zoom at which there are not too many. */
const CAUGHT = ["redlines", "control-plan", "control-lines", "open-control-lines", "buildings"];
const CLOSE = 14;
const MOST = 300;

let map = null;
let open = null;
let near = [];

/** Another map is there, or none: what was being drawn goes on upon it. */
export function useMap(other) {
  const sketch = get().sketch;
  if (open) open.pen = null;
  map = other;
  if (map && sketch) start(open?.parts ?? [], open?.tell);
}

/** Draw areas for a purpose; `tell` hears of their parts (rings) whenever they change. */
export function drawOn(purpose, parts, tell) {
  stopDrawing();
  set({ sketch: { purpose, ready: false, undo: false, redo: false, corners: 0 } });
  open = { pen: null, parts, tell };
  if (map) start(parts, tell);
}

export function stopDrawing() {
  open?.pen?.close();
  open?.following?.unsubscribe();
  open = null;
  if (get().sketch) set({ sketch: null });
}

async function start(parts, tell) {
  const { openSketch } = await import("../map/edit/sketch.js");
  if (!open || !map) return;
  const changed = () => {
    const { pen } = open ?? {};
    if (!pen) return;
    set({ sketch: { ...get().sketch, undo: pen.canUndo(), redo: pen.canRedo(), corners: pen.corners() } });
    if (pen.drawing()) return;
    open.parts = pen.parts();
    tell(open.parts);
  };
  open.pen = openSketch(map, { kind: "Polygon", parts, sides: () => near, onChange: changed });
  open.following = map.on("moveend", readNear);
  set({ sketch: { ...get().sketch, ready: true } });
  readNear();
}

/** What is around, to be caught by the pen. */
async function readNear() {
  near = [];
  if (!map || map.getZoom() < CLOSE) return;
  const bbox = map.getBounds().toArray().flat().map((value) => value.toFixed(6)).join();
  const layers = get().account ? CAUGHT : CAUGHT.slice(1);
  const query = { f: "json", limit: MOST, bbox, properties: "" };
  const found = await Promise.allSettled(layers.map((layer) => ask("GET", `collections/${layer}/items`, { query })));
  near = found.flatMap((one) => (one.status === "fulfilled" ? one.value.features.flatMap(({ geometry }) => sides(geometry.coordinates)) : []));
}

export const pen = {
  corner: () => open?.pen?.corner(map.getCenter()),
  undo: () => open?.pen?.undo(),
  redo: () => open?.pen?.redo(),
};
