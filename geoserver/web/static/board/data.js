/** What the board reads: each number comes with the collection and the CQL2 filter that list what it counts. */

import { language } from "../map/i18n.js";
import { ask, base, run } from "../work/api.js";

/** Numbers of this moment: name → collection and filter. Those of collections that the reader may not see are left out. */
const NOW = {
  open: ["cases", "closed_at IS NULL"],
  red: ["cases", "closed_at IS NULL AND light = 'red'"],
  amber: ["cases", "closed_at IS NULL AND light = 'amber'"],
  suspended: ["cases", "state = 'suspended'"],
  supervised: ["cases", "closed_at IS NULL AND supervised = TRUE"],
};
/** The same beside the cases. They belong to no area that all of them name, so they are the whole city's. */
const CITY = {
  alarms: ["alarms", "ended IS NULL"],
  tasks: ["unit-tasks", "ended IS NULL"],
  dangers: ["visits", "result = 'danger' AND rectified_at IS NULL"],
};
/** Digits of a division code → the level below it. */
const BELOW = { 0: "district", 4: "district", 6: "street", 9: "community", 12: "grid" };
const MOST = 1000;

const text = (words) => `'${words.replaceAll("'", "''")}'`;
const areaCondition = (area) => (area ? `area_code LIKE ${text(`${area}%`)}` : null);

/** The address of the features that a number counts. */
export const listAddress = ({ collection, filter }) =>
  new URL(`collections/${collection}/items?${new URLSearchParams({ filter })}`, base).href;

/** Everything on the board for a period and an area. Throws Refusal. */
export async function readBoard(period, area) {
  const { begin, end, step } = period;
  const inputs = { begin, end, ...(area ? { condition: areaCondition(area) } : {}) };
  const by = (...groups) => run("evaluate", { ...inputs, by: groups }, { patience: 60_000 });
  const level = BELOW[area.length] ?? "grid";
  const [trend, areas, departments, classes, now, city, classNames] = await Promise.all([
    by(step), by(level), by("department"), by("kind", "class"), readNow(NOW, area), readNow(CITY, ""), readClassNames(),
  ]);
  return { trend, areas, departments, classes, now, city, level, classNames, read: Date.now() };
}

async function readNow(numbers, area) {
  const found = await Promise.all(Object.entries(numbers).map(async ([name, [collection, condition]]) => {
    const filter = [condition, areaCondition(area)].filter(Boolean).join(" AND ");
    try {
      const { numberMatched } = await ask("GET", `collections/${collection}/items`, { query: { f: "json", resulttype: "hits", filter } });
      return [name, { collection, filter, cases: numberMatched }];
    } catch (error) {
      if (collection !== "cases" && (error.status === 404 || error.status === 403)) return null;
      throw error;
    }
  }));
  return Object.fromEntries(found.filter(Boolean));
}

let named = null;
/** Kind and class → the class's name; a city without the public's interface has codes alone. */
async function readClassNames() {
  named ??= ask("GET", "open311/v2/services.json", { query: { lang: language } })
    .then((services) => Object.fromEntries(services.map((one) => [one.service_code, one.service_name])))
    .catch(() => ({}));
  return named;
}

/** Code → name of the area and of those above it. */
export async function readAreaNames(area) {
  const codes = [4, 6, 9, 12].filter((digits) => digits <= area.length).map((digits) => area.slice(0, digits));
  if (codes.length === 0) return {};
  const filter = `code IN (${codes.map(text).join(", ")})`;
  const query = { f: "json", filter, properties: "code,name", skipGeometry: true, limit: 10 };
  try {
    const { features } = await ask("GET", "collections/admin-areas/items", { query });
    return Object.fromEntries(features.map(({ properties }) => [properties.code, properties.name]));
  } catch {
    return {};
  }
}

/** The features that a number counts, the most urgent first, at most MOST; `matched` says how many there are. */
export async function readCounted({ collection, filter }) {
  const query = { f: "json", filter, limit: MOST, ...(collection === "cases" ? { sortby: "deadline,-reported_at" } : {}) };
  const found = await ask("GET", `collections/${collection}/items`, { query, patience: 60_000 });
  return { features: found.features, matched: found.numberMatched ?? (await hits(collection, filter)) };
}

const hits = async (collection, filter) =>
  (await ask("GET", `collections/${collection}/items`, { query: { f: "json", resulttype: "hits", filter } })).numberMatched;

let words = null;
/** The names of states and lights, by field. */
export function readWords() {
  words ??= ask("GET", "collections/cases/schema", { query: { f: "json", lang: language } })
    .then(({ properties }) => Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, field["x-citymap-domain"] ?? {}])))
    .catch((error) => {
      words = null;
      throw error;
    });
  return words;
}
