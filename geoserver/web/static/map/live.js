/** Tiles that changed on the server are asked for again: those in view, of the sources that bring the changed layer. */

import { base } from "./api.js";

const GRID = "WebMercatorQuad";
/** Changes that come together are told together [ms]. */
const PAUSE = 300;
/** After the stream was refused, ask again [ms]. */
const AGAIN = 15_000;
/** Tiles of a source named one by one; where more changed, the whole source is refreshed. */
const MOST_TILES = 400;

/**
 * Follow what changes. `sourcesOf(layer)` are the map's sources that bring a layer; `onChange(layers)` hears which layers changed,
 * or null where that cannot be told. Returns a function that ends it.
 */
export function followChanges(map, sourcesOf, onChange) {
  let stream;
  let timer;
  let again;
  let pending = newPending();

  const refresh = () => {
    timer = undefined;
    if (document.hidden) return;
    const { everything, ranges } = pending;
    pending = newPending();
    revision += 1;
    if (everything) refreshSources(map, Object.keys(map.getStyle().sources));
    else for (const [layer, told] of ranges) for (const source of sourcesOf(layer)) refreshRanges(map, source, told);
    onChange(everything ? null : [...ranges.keys()]);
  };
  const later = () => (timer ??= setTimeout(refresh, PAUSE));

  const open = () => {
    const url = new URL("live", base);
    url.searchParams.set("tms", GRID);
    stream = new EventSource(url);
    stream.addEventListener("tiles", (event) => {
      const { layer, tiles } = JSON.parse(event.data);
      pending.ranges.set(layer, [...(pending.ranges.get(layer) ?? []), tiles]);
      later();
    });
    stream.addEventListener("reset", () => {
      pending.everything = true;
      later();
    });
    stream.addEventListener("error", () => {
      // A cut line is opened again by the browser itself, and goes on where it was; a refused one is not.
      if (stream.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN);
    });
  };
  const onShown = () => {
    if (!document.hidden && (pending.everything || pending.ranges.size)) later();
  };
  open();
  document.addEventListener("visibilitychange", onShown);
  return () => {
    stream.close();
    clearTimeout(timer);
    clearTimeout(again);
    document.removeEventListener("visibilitychange", onShown);
  };
}

/** How often tiles have been told to be stale. */
let revision = 0;

/**
 * MapLibre's `transformRequest`. Tiles enlarged beyond the last level are cut up by address and kept (6.17), whatever came since: a fragment,
 * which no server sees, makes the address another one after each change.
 */
export const withRevision = (url, kind) => ({ url: revision && kind === "Tile" ? `${url}#${revision}` : url });

const newPending = () => ({ everything: false, ranges: new Map() });

/** Ask again for the tiles of `source` that lie in view and in one of the ranges `{level: [first column, first row, last column, last row]}`. */
function refreshRanges(map, source, ranges) {
  if (!map.getSource(source)) return;
  forgetUnseen(map, source);
  const tiles = ranges.flatMap((told) => tilesInView(map, told));
  if (tiles.length > MOST_TILES) map.refreshTiles(source);
  else if (tiles.length) map.refreshTiles(source, tiles);
}

function refreshSources(map, sources) {
  for (const source of sources) if (["vector", "raster", "raster-dem"].includes(map.getSource(source)?.type)) map.refreshTiles(source);
}

/** Tiles beside the view that the map keeps for panning back may be older than what was told; it has no public way to drop them (6.17). */
function forgetUnseen(map, source) {
  map.style.tileManagers[source]?._outOfViewCache.reset();
}

/** `{x, y, z}` of the named tiles that the view may show, at its own level and those above it, which stand in while tiles load. */
export function tilesInView(map, told) {
  const seen = map.getBounds();
  // Pictures have tiles of half the size, so theirs are one level deeper.
  const deepest = Math.ceil(map.getZoom()) + 1;
  return levels(told, deepest).flatMap(([z, range]) => {
    const [first, last] = [tileAt(seen.getWest(), seen.getNorth(), z), tileAt(seen.getEast(), seen.getSouth(), z)];
    const found = [];
    for (let x = Math.max(range[0], first.x); x <= Math.min(range[2], last.x); x += 1) {
      for (let y = Math.max(range[1], first.y); y <= Math.min(range[3], last.y); y += 1) found.push({ x, y, z });
    }
    return found;
  });
}

/** Levels and their ranges down to `deepest`; below the last one told lies what that one holds. */
function levels(told, deepest) {
  const found = Object.entries(told).map(([level, range]) => [Number(level), range]).filter(([z]) => z <= deepest);
  const last = Math.max(...Object.keys(told).map(Number));
  for (let z = last + 1; z <= deepest; z += 1) {
    const [west, north, east, south] = told[last].map((value) => value * 2 ** (z - last));
    found.push([z, [west, north, east + 2 ** (z - last) - 1, south + 2 ** (z - last) - 1]]);
  }
  return found;
}

/** The tile of Web Mercator that holds a place. */
function tileAt(lng, lat, z) {
  const clipped = Math.min(85.0511, Math.max(-85.0511, lat)) * (Math.PI / 180);
  const size = 2 ** z;
  return { x: Math.floor(((lng + 180) / 360) * size), y: Math.floor(((1 - Math.asinh(Math.tan(clipped)) / Math.PI) / 2) * size) };
}
