/** The parcels at hand: read from a file or text, or drawn; each change of their points is checked at once. */

import { language, t } from "../map/i18n.js";
import { ask, run } from "../work/api.js";
import { drawOn, stopDrawing } from "./drawing.js";
import { get, look, say, set, told } from "./state.js";

const KEPT = "citymap.planning.draft";
const PATIENCE = 90_000;
/** Decimals of degrees by which a corner is known again: 0.1 mm. */
const SAME = 9;

/** Read boundary points; `source` is {file}, {text} or {geometry}, `options` zone, crs, encoding. */
export async function readPoints(source, options = {}) {
  set({ reading: source.file?.name ?? "", draftTrouble: null });
  try {
    const { file, ...inputs } = source;
    if (file) inputs.file = (await ask("POST", "uploads", { query: { name: file.name }, body: file, headers: { "Content-Type": "application/octet-stream" }, patience: PATIENCE })).id;
    const found = await run("import-boundary-points", { ...inputs, ...options }, { patience: PATIENCE });
    finishSketch();
    set({ draft: { ...found, file: file?.name ?? null, chosen: 0, edited: false }, check: null, picked: null, pasting: false });
    look(...found.parcels.map((parcel) => parcel.geometry));
    const code = found.parcels[0]?.land_code;
    if (/^\d{2,6}$/.test(code ?? "")) set({ use: { ...get().use, land_code: code } });
    await checkDraft();
    return true;
  } catch (error) {
    set({ draftTrouble: { ...(await told(error)), again: source.file ? { source, options } : null } });
    return false;
  } finally {
    set({ reading: null });
  }
}

export function choose(chosen) {
  set({ draft: { ...get().draft, chosen }, check: null, picked: null });
  look(get().draft.parcels[chosen].geometry);
  return checkDraft();
}

export function clearDraft() {
  finishSketch();
  set({ draft: null, check: null, picked: null, draftTrouble: null });
  sessionStorage.removeItem(KEPT);
}

/** What is sent of a parcel. */
export const given = ({ zone, zone_width, number, name, use, land_code, sheet, rings }) => ({
  zone, zone_width, number, name, use, land_code, sheet, rings: rings.map((ring) => ring.map(({ name: point, x, y }) => ({ name: point, x, y }))),
});

let turn = 0;
/** Check the chosen parcel as it is now; an answer that came too late is dropped. */
export async function checkDraft() {
  const { draft, use, account } = get();
  const parcel = draft?.parcels[draft.chosen];
  if (!parcel || !account) return;
  const mine = (turn += 1);
  set({ check: { ...get().check, busy: true, trouble: null } });
  try {
    const answer = await run("check-redline", { parcel: given(parcel), scheme: use.scheme, land_code: use.land_code.trim() }, { patience: PATIENCE });
    if (mine === turn) set({ check: { busy: false, trouble: null, answer }, picked: null });
  } catch (error) {
    const trouble = await told(error);
    if (mine === turn) set({ check: { ...get().check, busy: false, trouble } });
  }
}

let later;
export function useFor(values) {
  set({ use: { ...get().use, ...values } });
  clearTimeout(later);
  later = setTimeout(checkDraft, 600);
}

/** Set a boundary point of the chosen parcel to other coordinates of its zone [m], and check again. */
export async function movePoint(ring, place, { x, y }) {
  const { draft } = get();
  const parcel = draft.parcels[draft.chosen];
  try {
    const { points } = await run("transform-coordinates", { source: parcel.crs, target: "EPSG:4490", points: [[y, x]] });
    const rings = parcel.rings.map((points_, n) => (n === ring ? points_.map((point, m) => (m === place ? { ...point, x, y } : point)) : points_));
    const coordinates = parcel.geometry.coordinates.map((line, n) => (n === ring ? moved(line, place, points[0]) : line));
    change({ ...parcel, rings, geometry: { ...parcel.geometry, coordinates } });
    if (get().sketch?.purpose === "draft") editOnMap();
    await checkDraft();
  } catch (error) {
    set({ check: { ...get().check, busy: false, trouble: await told(error) } });
  }
}

function moved(line, place, position) {
  const changed = line.map((one, n) => (n === place ? position : one));
  changed[changed.length - 1] = changed[0];
  return changed;
}

function change(parcel) {
  const { draft } = get();
  set({ draft: { ...draft, edited: true, parcels: draft.parcels.map((one, n) => (n === draft.chosen ? parcel : one)) } });
}

/** Draw a parcel, or change the chosen one by its corners. */
export function drawNew() {
  clearDraft();
  drawOn("draft", [], drawn);
}

export function editOnMap() {
  const { draft } = get();
  const parcel = draft.parcels[draft.chosen];
  if (parcel.geometry.coordinates.length > 1) return say(t("draft.holes"));
  return drawOn("draft", [parcel.geometry.coordinates], drawn);
}

export function finishSketch() {
  if (get().sketch?.purpose === "draft") stopDrawing();
}

let settling;
/** The shape on the map has changed: its points are asked for when the hand rests. */
function drawn(parts) {
  clearTimeout(settling);
  if (parts.length === 0) return;
  settling = setTimeout(() => takeDrawn(parts), 500);
}

async function takeDrawn(parts) {
  const { draft } = get();
  const before = draft?.parcels[draft.chosen];
  const geometry = parts.length === 1 ? { type: "Polygon", coordinates: parts[0] } : { type: "MultiPolygon", coordinates: parts };
  if (before && parts.length === 1 && same(before.geometry.coordinates, parts[0])) return;
  try {
    const found = await run("import-boundary-points", { geometry });
    if (!draft) set({ draft: { ...found, file: null, chosen: 0, edited: false }, draftTrouble: null });
    else change({ ...withKnownPoints(found.parcels[0], before), number: before.number, name: before.name, use: before.use, land_code: before.land_code });
    set({ draftTrouble: null });
    await checkDraft();
  } catch (error) {
    set({ draftTrouble: await told(error) });
  }
}

const key = (position) => position.map((value) => value.toFixed(SAME)).join();
const same = (a, b) => JSON.stringify(a.map((ring) => ring.map(key))) === JSON.stringify(b.map((ring) => ring.map(key)));

/** Points that were not touched keep their surveyed coordinates and names; one that was moved keeps its name. */
function withKnownPoints(parcel, before) {
  if (parcel.zone !== before.zone || parcel.zone_width !== before.zone_width) return parcel;
  const known = new Map(before.rings.flatMap((ring, r) => ring.map((point, n) => [key(before.geometry.coordinates[r][n]), point])));
  const names = new Set([...known.values()].map(({ name }) => name));
  let next = 1;
  const fresh = () => {
    while (names.has(`J${next}`)) next += 1;
    names.add(`J${next}`);
    return `J${next}`;
  };
  const points = (ring, r) => {
    const kept = ring.map((point, n) => known.get(key(parcel.geometry.coordinates[r][n])));
    const lost = before.rings[r]?.filter((point) => !kept.includes(point)) ?? [];
    const moved = lost.length === 1 && ring.length === before.rings[r].length ? lost[0].name : null;
    return ring.map((point, n) => kept[n] ?? { ...point, line: 0, name: moved ?? fresh() });
  };
  return { ...parcel, rings: parcel.rings.map(points) };
}

/** What was drawn outlives a reload of the tab. */
export function keepDraft() {
  const { draft, use } = get();
  try {
    if (draft) sessionStorage.setItem(KEPT, JSON.stringify({ draft, use, language }));
  } catch {
    // Storage may be full or forbidden: then the draft lives as long as the page.
  }
}

export function restoreDraft() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT));
    if (!kept?.draft || !get().account) return;
    set({ draft: kept.draft, use: kept.use });
    checkDraft();
  } catch {
    sessionStorage.removeItem(KEPT);
  }
}

/** Enter an application for the chosen parcel, or for all of the file; returns its number. */
export async function apply(values, all) {
  const { draft, use } = get();
  const parcels = (all ? draft.parcels : [draft.parcels[draft.chosen]]).map(given);
  set({ applying: { busy: true, trouble: null } });
  try {
    const line = await run("apply-redline", { ...values, parcels, scheme: use.scheme, land_code: use.land_code.trim() }, { patience: PATIENCE });
    await run("check-redline", { redline: line.number }, { patience: PATIENCE });
    clearDraft();
    set({ applying: null });
    return line.number;
  } catch (error) {
    set({ applying: { busy: false, trouble: await told(error) } });
    return null;
  }
}
