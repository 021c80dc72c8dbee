/** The server's style with the reader's choices applied: what is shown, how strongly, and what is selected. */

import { base, getJson } from "./api.js";
import { arranged } from "./layer_list.js";
import { measured } from "./measure.js";

const OPACITIES = {
  fill: ["fill-opacity"],
  line: ["line-opacity"],
  circle: ["circle-opacity", "circle-stroke-opacity"],
  symbol: ["text-opacity", "icon-opacity"],
  raster: ["raster-opacity"],
  "fill-extrusion": ["fill-extrusion-opacity"],
};
const ACCENT = { light: "#0b63ce", dark: "#7cc4ff" };
const MEASURE = { light: "#a3137f", dark: "#ff8ede" };
const HITS = { light: "#d9480f", dark: "#ff9a5c" };

export const loadStyle = (theme) => getJson("styles/city", { theme });

/** Layers as the list shows them: catalogue entries with what the link asked for. */
export function listedLayers(style, link) {
  const listed = style.metadata["citymap:layers"].map((entry, rank) => ({
    ...entry,
    rank,
    initial: entry.visible,
    visible: link.on.includes(entry.id) || (entry.visible && !link.off.includes(entry.id)),
    opacity: link.fade[entry.id] ?? 1,
    dates: link.dates[entry.id] ?? null,
  }));
  return arranged(listed, link.order);
}

/** A style for MapLibre: tiles from this page's own origin, choices applied, what the page itself draws on top. */
export function compose(style, state) {
  const { layers, threeD, theme, geometry, asOf } = state;
  const byId = new Map(layers.map((layer) => [layer.id, layer]));
  const sources = Object.fromEntries(Object.entries(style.sources).map(([id, source]) => [id, { ...source, tiles: tilesOf(id, source, byId, asOf) }]));
  sources.selection = { type: "geojson", data: geometry ?? emptyGeometry() };
  if (state.hits) sources.hits = hitSource(state.hits, asOf);
  sources.measure = { type: "geojson", data: measured(state.measure) };
  const relief = threeD && byId.get("dem")?.extent;
  if (relief) sources.terrain = terrainSource(relief);
  return {
    ...style,
    ...(relief ? { terrain: { source: "terrain", exaggeration: 1 } } : {}),
    sources,
    layers: [
      ...stacked(style.layers, layers).map((part) => applied(part, byId.get(cityLayer(part)), threeD)),
      ...(state.hits ? hitLayers(state.hits, theme) : []),
      ...selectionLayers(theme),
      ...measureLayers(theme),
    ],
  };
}

/** A source's tile addresses below this page's origin, as of an instant (other servers have no past), and of the days chosen for its layer. */
export function tilesOf(id, source, byId, asOf) {
  const { dates, elsewhere } = byId.get(id.replace(/^layer:/, "")) ?? {};
  return source.tiles.map((address) => {
    const { pathname, search } = new URL(address);
    const more = { ...(dates ? { datetime: span(dates) } : {}), ...(asOf && !elsewhere ? { "as-of": asOf } : {}) };
    const query = Object.entries(more).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const all = [decodeURIComponent(search).replace(/^\?/, ""), ...query].filter(Boolean).join("&");
    return location.origin + decodeURI(pathname) + (all ? `?${all}` : "");
  });
}

const span = ([from, until]) => `${from || ".."}/${until || ".."}`;

/** The sources that bring a layer. */
export function sourcesOf(style, layer) {
  const names = Object.keys(style.sources).filter((id) => id === `layer:${layer}` || collectionsOf(style.sources[id]).includes(layer));
  return [...names, "hits"];
}

const collectionsOf = (source) => (new URL(source.tiles[0]).searchParams.get("collections") ?? "").split(",");

/** Style parts with those of the layers above the base map in the order of the list; names stay above shapes. */
function stacked(parts, layers) {
  const rank = new Map(layers.filter((layer) => layer.group !== "base").map((layer, n) => [layer.id, -n]));
  const result = [...parts];
  for (const written of [false, true]) {
    const places = parts.flatMap((part, n) => (rank.has(cityLayer(part)) && (part.type === "symbol") === written ? [n] : []));
    const sorted = places.map((n) => parts[n]).sort((a, b) => rank.get(cityLayer(a)) - rank.get(cityLayer(b)));
    places.forEach((place, n) => (result[place] = sorted[n]));
  }
  return result;
}

/** The ground's heights, as far as the elevation model reaches. */
function terrainSource(bounds) {
  const path = new URL("collections/dem/terrain/terrain-rgb/WebMercatorQuad/", base).href;
  return { type: "raster-dem", tiles: [`${path}{z}/{y}/{x}`], tileSize: 256, maxzoom: 15, encoding: "mapbox", bounds };
}

/** What a filter finds, as vector tiles of its own. */
function hitSource({ layer, filter }, asOf) {
  const query = new URLSearchParams({ filter, "filter-lang": "cql2-text", properties: "", ...(asOf ? { "as-of": asOf } : {}) });
  const path = new URL(`collections/${encodeURIComponent(layer)}/tiles/WebMercatorQuad/`, base);
  return { type: "vector", tiles: [`${path.href}{z}/{y}/{x}?${query}`], maxzoom: 16 };
}

function hitLayers({ layer }, theme) {
  const shared = { source: "hits", "source-layer": layer, metadata: { "citymap:layer": layer } };
  const colour = HITS[theme];
  return [
    { id: "hits-fill", type: "fill", ...shared, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour, "fill-opacity": 0.35 } },
    { id: "hits-line", type: "line", ...shared, filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": colour, "line-width": 2.5 } },
    {
      id: "hits-point",
      type: "circle",
      ...shared,
      filter: ["==", ["geometry-type"], "Point"],
      paint: { "circle-color": colour, "circle-radius": 6, "circle-stroke-color": "#ffffff", "circle-stroke-width": 1.6 },
    },
  ];
}

export const cityLayer = (part) => part.metadata?.["citymap:layer"];
export const emptyGeometry = () => ({ type: "FeatureCollection", features: [] });

/** A style part's visibility: its layer is on, and blocks stand only in 3D. */
export function visibility(part, layer, threeD) {
  return layer.visible && (part.type !== "fill-extrusion" || threeD) ? "visible" : "none";
}

/** Paint values of a part faded to `opacity`, by property name. */
export function fadedPaint(part, opacity) {
  return Object.fromEntries((OPACITIES[part.type] ?? []).map((name) => [name, scaled(part.paint?.[name] ?? 1, opacity)]));
}

function applied(part, layer, threeD) {
  if (!layer) return part;
  const paint = layer.opacity < 1 ? { ...part.paint, ...fadedPaint(part, layer.opacity) } : part.paint;
  return { ...part, paint, layout: { ...part.layout, visibility: visibility(part, layer, threeD) } };
}

function scaled(value, factor) {
  if (typeof value === "number") return value * factor;
  if (Array.isArray(value) && value[0] === "interpolate") {
    return value.map((item, n) => (n >= 4 && n % 2 === 0 && typeof item === "number" ? item * factor : item));
  }
  return ["*", value, factor];
}

function selectionLayers(theme) {
  const colour = ACCENT[theme];
  const line = (id, paint) => ({
    id,
    type: "line",
    source: "selection",
    layout: { "line-join": "round", "line-cap": "round" },
    paint,
  });
  return [
    {
      id: "selection-fill",
      type: "fill",
      source: "selection",
      filter: ["all", ["==", ["geometry-type"], "Polygon"], ["!", ["get", "vast"]]],
      paint: { "fill-color": colour, "fill-opacity": 0.16 },
    },
    line("selection-rim", { "line-color": theme === "dark" ? "#0b0f14" : "#ffffff", "line-width": 6, "line-opacity": 0.85 }),
    line("selection-line", { "line-color": colour, "line-width": 3 }),
    {
      id: "selection-point",
      type: "circle",
      source: "selection",
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-color": colour,
        "circle-opacity": 0.25,
        "circle-radius": 12,
        "circle-stroke-color": colour,
        "circle-stroke-width": 2.5,
      },
    },
  ];
}

/** What is being measured: corners, sides and area, told apart by geometry type. */
function measureLayers(theme) {
  const colour = MEASURE[theme];
  const source = "measure";
  return [
    { id: "measure-fill", type: "fill", source, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour, "fill-opacity": 0.16 } },
    { id: "measure-line", type: "line", source, layout: { "line-join": "round", "line-cap": "round" }, paint: { "line-color": colour, "line-width": 3, "line-dasharray": [2, 1.4] } },
    {
      id: "measure-corner",
      type: "circle",
      source,
      filter: ["==", ["geometry-type"], "Point"],
      paint: { "circle-color": "#ffffff", "circle-radius": 4.5, "circle-stroke-color": colour, "circle-stroke-width": 2.5 },
    },
  ];
}
