/** A scheme on a site: its buildings and green, its indices, its heights under surfaces, the sun around it. */

import { t } from "../map/i18n.js";
import { run } from "../work/api.js";
import { runAsJob } from "./as_job.js";
import { drawOn, stopDrawing } from "./drawing.js";
import { get, patch, told } from "./state.js";

const PATIENCE = 120_000;
/** Side of a cell of sunlight [m] that still draws fast, by the ground that is asked for. */
const MOST_CELLS = 40_000;

/** Where the scheme stands: the open red line, else the parcel at hand. */
export function siteOf({ number, line, draft }) {
  if (number && line) return { redline: number, name: `${number} ${line.history.name}`, geometry: line.feature?.geometry };
  const parcel = draft?.parcels[draft.chosen];
  return parcel ? { geometry: parcel.geometry, name: parcel.name || parcel.number || t("draft.drawn") } : null;
}

export function drawBuilding() {
  drawOne("building", (footprint) => {
    const building = { footprint, floors: 6, height: 18 };
    patch("scheme", { buildings: [...get().scheme.buildings, building], indices: null, heights: null, sun: null, shadows: null });
  });
}

export function drawGreen() {
  drawOne("green", (green) => patch("scheme", { green, indices: null }));
}

/** Draw one area; the pen, which tells while it is still at work, is put away after that. */
function drawOne(purpose, take) {
  drawOn(purpose, [], ([part]) => part && setTimeout(() => {
    if (get().sketch?.purpose !== purpose) return;
    stopDrawing();
    take({ type: "Polygon", coordinates: part });
  }));
}

export function changeBuilding(place, values) {
  const buildings = get().scheme.buildings.map((one, n) => (n === place ? { ...one, ...values } : one));
  patch("scheme", { buildings, indices: null, heights: null, sun: null, shadows: null });
}

export function removeBuilding(place) {
  patch("scheme", { buildings: get().scheme.buildings.filter((_, n) => n !== place), indices: null, heights: null, sun: null, shadows: null });
}

async function working(busy, work) {
  patch("scheme", { busy, trouble: null });
  try {
    patch("scheme", { ...(await work()), busy: null });
  } catch (error) {
    patch("scheme", { busy: null, trouble: await told(error) });
  }
}

/** Buildings as the planning processes take them. */
const sent = (buildings) => buildings.map(({ footprint, floors, height }) => ({ footprint, floors, height }));

export const checkIndices = () => working("indices", async () => {
  const { buildings, green, parking } = get().scheme;
  const { redline, geometry } = siteOf(get());
  const indices = await run("index-check", { buildings: sent(buildings), ...(green ? { green } : {}), parking, ...(redline ? { redline } : { geometry }) }, { patience: PATIENCE });
  return { indices };
});

export const checkHeights = () => working("heights", async () => ({ heights: await run("height-check", { buildings: sent(get().scheme.buildings) }, { patience: PATIENCE }) }));

/** Hours of sun on the site's ground with the proposed buildings, cell by cell, as squares on the map. */
export const checkSun = (day, terrain) => working("sun", async () => {
  const { buildings } = get().scheme;
  const { geometry } = siteOf(get());
  const proposed = buildings.map(({ footprint, height }) => ({ footprint, height }));
  const sun = await (get().account ? runAsJob : run)("sunlight-hours", { area: geometry, day, proposed, spacing: 1, step: 5, ...(terrain ? {} : { dem: null }) }, { patience: PATIENCE });
  return { sun: { ...sun, cells: await cells(sun.coverage) } };
});

/** How far around the site shadows are shown [m]. */
const AROUND = 150;

/** The shadows of an instant, of what stands there and of what is proposed. */
export const castShadows = (time) => working("shadows", async () => {
  const proposed = get().scheme.buildings.map(({ footprint, height }) => ({ footprint, height }));
  return { shadows: await run("shadows", { area: around(siteOf(get()).geometry), time, proposed }, { patience: PATIENCE }) };
});

/** The box around a geometry, so much wider on each side, as an area [°]. */
function around({ coordinates }) {
  const places = coordinates.flat(Infinity);
  const range = (axis) => places.filter((_, n) => n % 2 === axis);
  const [lons, lats] = [range(0), range(1)];
  const north = AROUND / 110_574;
  const east = AROUND / (111_320 * Math.cos((lats[0] * Math.PI) / 180));
  const [west, right, south, top] = [Math.min(...lons) - east, Math.max(...lons) + east, Math.min(...lats) - north, Math.max(...lats) + north];
  return { type: "Polygon", coordinates: [[[west, south], [right, south], [right, top], [west, top], [west, south]]] };
}

/** Cells of the coverage as squares [°] with their hours; their corners are transformed by the server. */
async function cells(coverage) {
  const { x, y } = coverage.domain.axes;
  const at = (axis, n) => axis.start + ((axis.stop - axis.start) * n) / Math.max(1, axis.num - 1);
  const [width, height] = [(x.stop - x.start) / Math.max(1, x.num - 1), (y.stop - y.start) / Math.max(1, y.num - 1)];
  const { values, shape } = Object.values(coverage.ranges)[0];
  const columns = shape.at(-1);
  const stride = Math.max(1, Math.ceil(Math.sqrt(values.length / MOST_CELLS)));
  const places = [];
  for (let row = 0; row < shape.at(-2); row += stride) {
    for (let column = 0; column < columns; column += stride) {
      const hours = values[row * columns + column];
      if (hours !== null) places.push([at(x, column), at(y, row), hours]);
    }
  }
  if (places.length === 0) return [];
  const system = coverage.domain.referencing.find(({ coordinates }) => coordinates.includes("x")).system.id.split("/").at(-1);
  const corners = places.flatMap(([east, north]) => [[-1, -1], [1, 1]].map(([a, b]) => [east + (a * width * stride) / 2, north + (b * height * stride) / 2]));
  const { points } = await run("transform-coordinates", { source: `EPSG:${system}`, target: "EPSG:4490", points: corners }, { patience: PATIENCE });
  return places.map(([, , hours], n) => ({ hours, box: [points[2 * n], points[2 * n + 1]] }));
}

export const parkingIs = (parking) => patch("scheme", { parking, indices: null });
