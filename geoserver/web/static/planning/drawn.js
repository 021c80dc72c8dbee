/** What the map draws of the page's state: features by kind. */

import { stateOf } from "./notices.js";

const feature = (geometry, properties) => ({ type: "Feature", geometry, properties });

/** The features of the open tab, those at the bottom first. */
export function drawn(state) {
  const features = { lines: ofLines, draft: ofDraft, scheme: ofScheme, siting: ofSiting, plans: ofPlans, notices: ofNotices }[state.tab](state);
  return { type: "FeatureCollection", features: features.filter(({ geometry }) => geometry) };
}

const pieces = (check, picked) => (check?.answer?.result.conflicts ?? []).map(({ geometry, severity }, key) => feature(geometry, { kind: "piece", key, severity, picked: picked === key }));

function ofLines({ lines, line, number, lineCheck, picked }) {
  const others = lines.rows.filter((row) => row.number !== number).map((row) => feature(row.geometry, { kind: "line", key: row.number, text: row.name ?? "" }));
  return [...others, ...(line?.feature ? [feature(line.feature.geometry, { kind: "chosen" }), ...pieces(lineCheck, picked)] : [])];
}

function ofDraft({ draft, check, picked, sketch }) {
  if (!draft) return [];
  const shapes = draft.parcels.map(({ geometry, number, name }, n) => feature(geometry, { kind: n === draft.chosen ? "chosen" : "line", text: name || number }));
  const corners = draft.parcels[draft.chosen] && sketch?.purpose !== "draft" ? points(draft.parcels[draft.chosen]) : [];
  return [...(sketch?.purpose === "draft" ? shapes.filter((_, n) => n !== draft.chosen) : shapes), ...pieces(check, picked), ...corners];
}

const points = ({ rings, geometry }) => rings.flatMap((ring, r) => ring.map(({ name }, n) => feature({ type: "Point", coordinates: geometry.coordinates[r][n] }, { kind: "point", text: name })));

function ofScheme({ scheme, draft, line }) {
  const site = line?.feature?.geometry ?? draft?.parcels[draft.chosen]?.geometry;
  const sun = (scheme.sun?.cells ?? []).map(({ hours, box: [[west, south], [east, north]] }) => feature({ type: "Polygon", coordinates: [[[west, south], [east, south], [east, north], [west, north], [west, south]]] }, { kind: "sun", hours }));
  const buildings = scheme.buildings.map(({ footprint, height }, n) => feature(footprint, { kind: "building", text: String(n + 1), height }));
  const shadows = (scheme.shadows?.shadows.features ?? []).map(({ geometry }) => feature(geometry, { kind: "shadow" }));
  return [...sun, ...shadows, feature(site, { kind: "chosen" }), ...(scheme.green ? [feature(scheme.green, { kind: "green" })] : []), ...buildings];
}

const ofSiting = ({ siting }) => (siting?.found?.candidates ?? []).map(({ geometry, rank }) => feature(geometry, { kind: "candidate", key: rank, text: String(rank), picked: siting.picked === rank }));
const ofPlans = ({ plans }) => (plans?.plots ?? []).map(({ geometry, how, plot }) => feature(geometry, { kind: "plot", how, text: plot }));

const ofNotices = ({ notices, notice }) => notices.rows
  .filter((row) => row.number === notice || (!notice && stateOf(row) !== "over"))
  .map((row) => feature(row.geometry, { kind: row.number === notice ? "chosen" : "notice", key: row.number, text: row.title }));
