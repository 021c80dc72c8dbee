/** Which corner or side is meant by a place near it. */

/** How near the pointer must come [px]. */
const REACH = 12;

/** `[from, to]` pairs of a geometry's coordinates; a point is a pair of itself. */
export function sides(coordinates) {
  if (typeof coordinates[0] === "number") return [[coordinates.slice(0, 2), coordinates.slice(0, 2)]];
  if (typeof coordinates[0][0] !== "number") return coordinates.flatMap(sides);
  if (coordinates.length === 1) return [[coordinates[0], coordinates[0]]];
  return coordinates.slice(1).map((to, n) => [coordinates[n].slice(0, 2), to.slice(0, 2)]);
}

/** The corner within reach of a place, else the nearest spot of a side within reach, else undefined. `project` gives pixels. */
export function caught(found, place, project, unproject) {
  const at = project(place);
  const window = [unproject({ x: at.x - REACH, y: at.y + REACH }), unproject({ x: at.x + REACH, y: at.y - REACH })];
  const near = found.filter(([from, to]) => meets(from, to, window));
  const corners = near.flat().map((corner) => ({ corner, away: distance(project(corner), at) }));
  const best = corners.reduce((least, one) => (one.away < least.away ? one : least), { away: REACH });
  if (best.corner) return best.corner;
  const spots = near.map(([from, to]) => spotOn(from, to, at, project));
  return spots.reduce((least, one) => (one.away < least.away ? one : least), { away: REACH }).spot;
}

function meets(from, to, [[west, south], [east, north]]) {
  return Math.max(from[0], to[0]) >= west && Math.min(from[0], to[0]) <= east && Math.max(from[1], to[1]) >= south && Math.min(from[1], to[1]) <= north;
}

/** The spot of a side that is nearest on the screen, and how far it is [px]. */
function spotOn(from, to, at, project) {
  const [a, b] = [project(from), project(to)];
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const along = Math.min(1, Math.max(0, ((at.x - a.x) * dx + (at.y - a.y) * dy) / (dx * dx + dy * dy || 1)));
  const spot = [from[0] + along * (to[0] - from[0]), from[1] + along * (to[1] - from[1])].map((value) => Number(value.toFixed(9)));
  return { spot, away: distance({ x: a.x + along * dx, y: a.y + along * dy }, at) };
}

const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
