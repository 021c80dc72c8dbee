/** What can be reported: the city's classes, and the reader's favourites among them. */

import { ask } from "../work/api.js";

const KEPT = "citymap.report.classes";
const MOST_RECENT = 6;

/** Classes as { id, kind, code, name, group }, in the order of the city's scheme. */
export async function loadServices() {
  const found = await ask("GET", "open311/v2/services.json");
  return found.map(({ service_code: id, service_name: name, group }) => {
    const [kind, code] = id.split("-");
    return { id, kind, code, name, group: group ?? "" };
  });
}

/** Ids of favourites and of those used last. */
export function favourites() {
  try {
    return { starred: [], recent: [], ...JSON.parse(localStorage.getItem(KEPT) ?? "{}") };
  } catch {
    return { starred: [], recent: [] };
  }
}

function write(values) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(values));
  } catch {
    // Storage may be forbidden: then there are none.
  }
  return values;
}

export function toggleStar(id) {
  const { starred, recent } = favourites();
  return write({ recent, starred: starred.includes(id) ? starred.filter((one) => one !== id) : [...starred, id] });
}

export function noteUse(id) {
  const { starred, recent } = favourites();
  return write({ starred, recent: [id, ...recent.filter((one) => one !== id)].slice(0, MOST_RECENT) });
}

/** The classes that match some words, by group. */
export function grouped(services, words) {
  const parts = words.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map();
  for (const service of services) {
    const text = `${service.name} ${service.group} ${service.code}`.toLowerCase();
    if (!parts.every((part) => text.includes(part))) continue;
    if (!groups.has(service.group)) groups.set(service.group, []);
    groups.get(service.group).push(service);
  }
  return [...groups];
}
