/** What the inbox reads. */

import { language } from "../map/i18n.js";
import { ask, run } from "../work/api.js";

export const PAGE = 100;
const WAITING = 300;

/** The names of states, lights and channels, by field. */
export async function readNames() {
  const { properties } = await ask("GET", "collections/cases/schema", { query: { f: "json", lang: language } });
  return Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, field["x-citymap-domain"] ?? {}]));
}

/** What waits for the reader: rows, and how much there is by state and light. */
export async function readWaiting({ lights }) {
  const found = await run("work-list", { limit: WAITING, ...(lights.length ? { lights } : {}) });
  return { total: found.waiting, counts: found.counts, rows: found.cases.map((row) => ({ ...row, code: row.case })) };
}

/** All cases that the reader may see and that fit, the newest first. */
export async function readAll(filters) {
  const query = { f: "json", limit: PAGE, sortby: "-reported_at", filter: condition(filters) };
  const found = await ask("GET", "collections/cases/items", { query });
  const rows = found.features.map(({ id, properties: p }) => ({ ...p, id, acts: null }));
  return { total: found.numberMatched ?? rows.length, counts: [], rows };
}

const text = (words) => `'${words.replaceAll("'", "''")}'`;

/** The filter in CQL2 (OGC 21-065r2). */
function condition({ open, lights, state, words }) {
  const parts = [];
  if (open) parts.push("closed_at IS NULL");
  if (lights.length) parts.push(`light IN (${lights.map(text).join(", ")})`);
  if (state) parts.push(`state = ${text(state)}`);
  const like = text(`%${words.trim()}%`);
  if (words.trim()) parts.push(`(title LIKE ${like} OR code LIKE ${like} OR description LIKE ${like})`);
  return parts.join(" AND ") || "id > 0";
}

/** The countdowns of these cases, by code. */
export async function readClocks(codes) {
  if (codes.length === 0) return { by: new Map(), read: Date.now(), day_seconds: 1, working: false };
  const told = await run("case-clocks", { cases: codes.slice(0, 1000) });
  return { ...told, read: Date.now(), by: new Map(told.clocks.map((clock) => [clock.case, clock])) };
}

/** One case with its history and clock. */
export async function readCase(code) {
  const query = { f: "json", limit: 1, filter: `code = ${text(code)}` };
  const [{ features }, history, clocks] = await Promise.all([
    ask("GET", "collections/cases/items", { query }), run("case-history", { case: code }), readClocks([code]),
  ]);
  return { code, feature: features[0], history, clocks };
}

/** Cases like this one in the year around, itself aside. */
export async function readSimilar(feature) {
  const { properties: p, geometry } = feature;
  if (!p.class) return [];
  const inputs = { position: geometry.coordinates, kind: p.kind, scheme: p.scheme, class_code: p.class, metres: 200, hours: 8760 };
  return (await run("similar-cases", inputs)).filter((one) => one.case !== p.code);
}

/** Cameras about the case, those first that look at it; none for readers who may not know of cameras. */
export const readCameras = (code) => run("cameras-near-case", { case: code, metres: 200 });

export const readChoices = (code) => run("case-choices", { case: code });

/** Photos of a case as they are sent; returns their ids as attachments. */
export async function addPhotos(code, files) {
  const photos = [];
  for (const file of files) {
    const options = { query: { name: file.name }, body: file, headers: { "Content-Type": "application/octet-stream" }, patience: 90_000 };
    photos.push((await ask("POST", "uploads", options)).id);
  }
  return (await run("add-photos", { case: code, photos }, { patience: 90_000 })).map(({ id }) => id);
}

export const advance = (inputs, key) => run("advance-case", inputs, { headers: { "Idempotency-Key": key } });
