/** The server's style with the reader's choices applied: what is shown, how strongly, and what is selected. */

import { base, getJson } from "./api.js";

const OPACITIES = {
  fill: ["fill-opacity"],
  line: ["line-opacity"],
  circle: ["circle-opacity", "circle-stroke-opacity"],
  symbol: ["text-opacity", "icon-opacity"],
  raster: ["raster-opacity"],
  "fill-extrusion": ["fill-extrusion-opacity"],
};
const ACCENT = { light: "#0b63ce", dark: "#7cc4ff" };

export const loadStyle = (theme) => getJson("styles/city", { theme });

/** Layers as the list shows them: catalogue entries with what the link asked for. */
export function listedLayers(style, link) {
  return style.metadata["citymap:layers"].map((entry) => ({
    ...entry,
    initial: entry.visible,
    visible: link.on.includes(entry.id) || (entry.visible && !link.off.includes(entry.id)),
    opacity: link.fade[entry.id] ?? 1,
  }));
}

/** A style for MapLibre: tiles from this page's own origin, choices applied, selection on top. */
export function compose(style, { layers, threeD, theme, geometry }) {
  const byId = new Map(layers.map((layer) => [layer.id, layer]));
  const sources = Object.fromEntries(Object.entries(style.sources).map(([id, source]) => [id, ownOrigin(source)]));
  sources.selection = { type: "geojson", data: geometry ?? emptyGeometry() };
  return {
    ...style,
    sources,
    layers: [...style.layers.map((part) => applied(part, byId.get(cityLayer(part)), threeD)), ...selectionLayers(theme)],
  };
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

function ownOrigin(source) {
  const tiles = source.tiles.map((url) => {
    const { pathname, search } = new URL(url);
    return location.origin + decodeURI(pathname) + decodeURIComponent(search);
  });
  return { ...source, tiles };
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
