/** Where vehicles were in some hours: a heat map of all, and which roads some of them swept. */

import { run } from "../work/api.js";
import { get, noteEnd, patch, told } from "./store.js";

const HOUR = 3_600_000;

const hours = (back) => ({ begin: new Date(Date.now() - back * HOUR).toISOString(), end: new Date(Date.now() + 1000).toISOString() });

async function read(name, process, inputs) {
  patch("ground", { busy: name, trouble: null });
  try {
    const found = await run(process, inputs, { patience: 120_000 });
    patch("ground", { [name]: found, busy: null });
  } catch (error) {
    await noteEnd(error);
    patch("ground", { busy: null, trouble: told(error) });
  }
}

/** Hexagons of the last hours within a box [west, south, east, north], or none where there are some. */
export function toggleHeat(back, box, zoom) {
  if (get().ground.heat) return patch("ground", { heat: null });
  const resolution = zoom >= 14 ? 10 : zoom >= 12 ? 9 : zoom >= 10 ? 8 : 7;
  return read("heat", "heatmap", { ...hours(back), resolution, bbox: box });
}

/** Roads of some classes that these vehicles swept in the last hours. */
export function readCoverage(devices, back, width, classes) {
  const filter = `class IN (${classes.map((one) => `'${one}'`).join(", ")})`;
  return read("coverage", "patrol-coverage", { devices, of: { layer: "roads", filter }, width, ...hours(back) });
}

export const clearCoverage = () => patch("ground", { coverage: null });
