/** Find by name in the collections that have names, or by coordinates. */

import { getJson } from "./api.js";
import { parseCoordinates } from "./geometry.js";

const LIMIT = 8;
/** A street is many pieces between junctions: enough of them to show most of it. */
const LIMIT_PIECES = 60;
const LONGEST = 80;

/** Collections to search: the named base layers first, then what the reader has switched on. */
export function searchedLayers(layers) {
  const ranked = layers.filter((layer) => layer.search_rank !== null).sort((a, b) => a.search_rank - b.search_rank);
  const shown = layers.filter((layer) => layer.group === "thematic" && layer.visible && layer.search.length > 0);
  return [...ranked, ...shown];
}

/** CQL2 text (OGC 21-065r2) matching `words` anywhere in one of `fields`, whatever their case. */
export function nameFilter(fields, words) {
  const pattern = words.replace(/[\\%_]/g, "\\$&").replaceAll("'", "''");
  return fields.map((field) => `CASEI("${field}") LIKE CASEI('%${pattern}%')`).join(" OR ");
}

/**
 * Answers to what was typed: `{place}` for coordinates, else `{hits, failures}`; hits are
 * `{key, layer, id, title, note, geometries}`, best first.
 */
export async function search(text, layers, signal) {
  const words = text.normalize("NFKC").trim().slice(0, LONGEST);
  const place = parseCoordinates(words);
  if (place) return { place, hits: [], failures: [] };
  const asked = searchedLayers(layers);
  const answers = await Promise.allSettled(asked.map((layer) => searchLayer(layer, words, signal)));
  if (signal.aborted) throw new DOMException("superseded", "AbortError");
  const hits = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  const failures = answers.filter((answer) => answer.status === "rejected").map((answer) => answer.reason);
  // Exact names first, then beginnings; the order of collections decides the rest (sort is stable).
  hits.sort((a, b) => closeness(a.title, words) - closeness(b.title, words));
  return { place: null, hits: hits.slice(0, 20), failures };
}

async function searchLayer(layer, words, signal) {
  const pieces = layer.id === "roads";
  const params = { f: "json", limit: pieces ? LIMIT_PIECES : LIMIT, "filter-lang": "cql2-text", filter: nameFilter(layer.search, words) };
  const { features } = await getJson(`collections/${encodeURIComponent(layer.id)}/items`, params, signal);
  const byTitle = new Map();
  for (const feature of features) {
    const title = titleOf(feature, layer);
    const key = pieces ? title : `${title}/${feature.id}`;
    const hit = byTitle.get(key);
    if (hit) hit.geometries.push(feature.geometry);
    else byTitle.set(key, newHit(layer, feature, title));
  }
  return [...byTitle.values()].slice(0, LIMIT);
}

function newHit(layer, feature, title) {
  const geometries = [feature.geometry];
  return { key: `${layer.id}/${feature.id}`, layer: layer.id, id: feature.id, title, note: layer.title, geometries };
}

function titleOf(feature, layer) {
  const values = feature.properties;
  const english = document.documentElement.lang === "en" ? values.name_en : null;
  return String(english || values[layer.title_field] || values[layer.search[0]] || feature.id);
}

function closeness(title, words) {
  const [name, wanted] = [title.toLowerCase(), words.toLowerCase()];
  return name === wanted ? 0 : name.startsWith(wanted) ? 1 : 2;
}
