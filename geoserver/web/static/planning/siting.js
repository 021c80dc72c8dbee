/** The search for sites, and the comparison of two versions of a plan. */

import { ask, run } from "../work/api.js";
import { get, look, set, told } from "./state.js";

const PATIENCE = 120_000;
export const FIRST_CRITERION = { layer: "roads", best: 50, worst: 800, weight: 1 };
export const FIRST_LIMIT = { layer: "water", distance: 50, rule: "beyond" };

/** Layers that may be named, with their titles: those of features. */
export async function readLayers(language) {
  const { collections } = await ask("GET", "collections", { query: { f: "json", lang: language } });
  return collections.filter((one) => one.itemType === "feature").map(({ id, title }) => ({ id, title }));
}

export async function findSites(inputs) {
  set({ siting: { busy: true, trouble: null, found: null, picked: null } });
  try {
    const found = await run("site-selection", inputs, { patience: PATIENCE });
    set({ siting: { busy: false, trouble: null, found, picked: null } });
    look(...found.candidates.map(({ geometry }) => geometry));
  } catch (error) {
    set({ siting: { busy: false, trouble: await told(error), found: null, picked: null } });
  }
}

export function pickSite(rank) {
  const { siting } = get();
  set({ siting: { ...siting, picked: rank } });
  look(siting.found.candidates.find((one) => one.rank === rank)?.geometry);
}

/** The versions of plans that the layer of plots has: plan → versions, the newest last. */
export async function readVersions() {
  const known = new Map();
  for (;;) {
    const seen = [...known].flatMap(([plan, versions]) => versions.map((version) => `(plan = '${quote(plan)}' AND version = '${quote(version)}')`));
    const filter = seen.length ? `NOT (${seen.join(" OR ")}) AND plan IS NOT NULL AND version IS NOT NULL` : "plan IS NOT NULL AND version IS NOT NULL";
    const { features } = await ask("GET", "collections/control-plan/items", { query: { f: "json", limit: 1, filter } });
    if (features.length === 0 || seen.length > 40) break;
    const { plan, version } = features[0].properties;
    known.set(plan, [...(known.get(plan) ?? []), version].sort());
  }
  return known;
}

const quote = (words) => words.replaceAll("'", "''");

export async function comparePlans(inputs) {
  set({ plans: { busy: true, trouble: null, found: null, plots: [] } });
  try {
    const found = await run("compare-plans", inputs, { patience: PATIENCE });
    set({ plans: { busy: false, trouble: null, found, plots: await changedPlots(inputs, found) } });
  } catch (error) {
    set({ plans: { busy: false, trouble: await told(error), found: null, plots: [] } });
  }
}

/** The shapes of plots that came, went or have another index. */
async function changedPlots({ plan, before, after }, found) {
  const groups = [["added", after, found.added], ["removed", before, found.removed], ["changed", after, [...new Set(found.plots.map(({ plot }) => plot))]]];
  const shapes = await Promise.all(groups.filter(([, , plots]) => plots.length).map(async ([how, version, plots]) => {
    const named = plots.slice(0, 400).map((plot) => `'${quote(plot)}'`).join(", ");
    const filter = `plan = '${quote(plan)}' AND version = '${quote(version)}' AND plot IN (${named})`;
    const { features } = await ask("GET", "collections/control-plan/items", { query: { f: "json", limit: 400, filter } });
    return features.map(({ geometry, properties }) => ({ how, plot: properties.plot, geometry }));
  }));
  const plots = shapes.flat();
  look(...plots.map(({ geometry }) => geometry));
  return plots;
}
