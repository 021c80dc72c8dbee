/** Find by name in the collections that have names, or by coordinates. */

import { execute, getJson } from "./api.js";
import { parseCoordinates, parseSurveyed } from "./geometry.js";
import { language } from "./i18n.js";

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
 * Answers to what was typed: `{place}` for coordinates (those of other systems are transformed by the server, with `source` its name),
 * else `{hits, failures}`; hits are `{key, layer, id, title, note, geometries}`, best first. `lng` is where the map is [degrees].
 */
export async function search(text, layers, lng, signal) {
  const words = text.normalize("NFKC").trim().slice(0, LONGEST);
  const place = parseCoordinates(words);
  if (place) return { place, hits: [], failures: [] };
  const surveyed = parseSurveyed(words, lng);
  if (surveyed) return { place: await transformed(surveyed, signal), hits: [], failures: [] };
  const asked = searchedLayers(layers);
  const answers = await Promise.allSettled([...asked.map((layer) => searchLayer(layer, words, layers, signal)), geocoded(words, layers, signal)]);
  if (signal.aborted) throw new DOMException("superseded", "AbortError");
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  const hits = [...new Map(found.reverse().map((hit) => [hit.key, hit])).values()].reverse();
  const failures = answers.filter((answer) => answer.status === "rejected").map((answer) => answer.reason);
  // Exact names first, then beginnings; the order of collections decides the rest (sort is stable).
  hits.sort((a, b) => closeness(a.title, words) - closeness(b.title, words));
  return { place: null, hits: hits.slice(0, 20), failures };
}

/** A place in degrees, from coordinates of another system. */
async function transformed({ source, point }, signal) {
  const answer = await execute("transform-coordinates", { source, target: "WGS84", points: [point] }, signal);
  const [[lng, lat]] = answer.points;
  return { lng, lat, source: answer.source };
}

/** What the gazetteer makes of the words: pinyin, initials, house numbers, names nearly right. */
async function geocoded(words, layers, signal) {
  if (words.length < 2) return [];
  const { answers } = await execute("geocode", { query: words, limit: LIMIT }, signal);
  const titles = new Map(layers.map((layer) => [layer.id, layer.title]));
  return answers
    .filter((answer) => titles.has(answer.layer))
    .map(({ layer, id, name, point, match }) => ({
      key: `${layer}/${id}`,
      layer,
      id,
      title: name,
      note: match.how === "exact" ? titles.get(layer) : `${match.reason[language === "en" ? "en" : "zh"]} · ${titles.get(layer)}`,
      geometries: [{ type: "Point", coordinates: [point.lon, point.lat] }],
    }));
}

async function searchLayer(layer, words, layers, signal) {
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
  const hits = [...byTitle.values()].slice(0, LIMIT);
  return layer.id === "devices" ? driven(hits, features, layers, signal) : hits;
}

/** Vehicles lie where they are now, not where they are kept; those that may not be seen live stay as they are. */
async function driven(hits, features, layers, signal) {
  const positions = layers.find(({ id }) => id === "positions");
  const codes = new Map(features.map(({ id, properties }) => [properties.code, `devices/${id}`]));
  if (!positions || hits.length === 0) return hits;
  const filter = `device IN (${[...codes.keys()].map((code) => `'${code.replaceAll("'", "''")}'`).join(", ")})`;
  const found = await getJson("collections/positions/items", { f: "json", limit: LIMIT_PIECES, "filter-lang": "cql2-text", filter }, signal).catch(() => ({ features: [] }));
  const live = new Map(found.features.filter(({ geometry }) => geometry).map((one) => [codes.get(one.properties.device), one]));
  return hits.map((hit) => {
    const now = live.get(hit.key);
    return now ? { ...hit, live: true, geometries: [now.geometry], note: `${positions.title} · ${timeOf(now.properties.time)}` } : hit;
  });
}

const clock = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium" });
const timeOf = (instant) => (instant ? clock.format(new Date(instant)) : "");

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
