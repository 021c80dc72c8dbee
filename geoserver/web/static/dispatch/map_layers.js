/** What lies on the map below the vehicles: fences, ways, alarms, tracks, heat, and what was not swept. */

import { COLOURS } from "./sprites.js";

const SOURCES = ["heat", "missed", "fences", "draft", "tracks", "ways", "places"];
export const TRACK_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a5a00", "#7a52cc"];
const NOTHING = { type: "FeatureCollection", features: [] };

export const feature = (geometry, properties = {}) => ({ type: "Feature", geometry, properties });
export const collection = (features) => ({ type: "FeatureCollection", features });
export const point = (coordinates, properties) => feature({ type: "Point", coordinates }, properties);

/** Add the sources and their layers to a map that has just loaded. */
export function addLayers(map, theme) {
  const colours = COLOURS[theme];
  for (const id of SOURCES) map.addSource(id, { type: "geojson", data: NOTHING });
  for (const layer of layers(colours)) map.addLayer(layer);
}

export const show = (map, source, features) => map.getSource(source)?.setData(collection(features));

const line = (id, source, paint, more = {}) => ({ id, type: "line", source, layout: { "line-cap": "round", "line-join": "round" }, paint, ...more });
const isArea = ["==", ["geometry-type"], "Polygon"];

function layers(colours) {
  const fence = ["case", ["get", "enabled"], colours.chosen, colours.offline];
  const kind = (name, yes, no) => ["case", ["==", ["get", "kind"], name], yes, no];
  return [
    {
      id: "heat", type: "fill", source: "heat",
      paint: { "fill-color": ["interpolate", ["linear"], ["get", "share"], 0, "#fff3b0", 0.35, "#f9a03f", 0.7, "#d7301f", 1, "#7f0000"], "fill-opacity": 0.45, "fill-outline-color": "rgba(0,0,0,0.15)" },
    },
    line("missed", "missed", { "line-color": colours.alarm, "line-width": 4, "line-opacity": 0.85 }),
    { id: "fence-ground", type: "fill", source: "fences", filter: isArea, paint: { "fill-color": fence, "fill-opacity": 0.1 } },
    line("fence-edge", "fences", { "line-color": fence, "line-width": 2.5, "line-dasharray": [3, 2] }),
    { id: "fence-name", type: "symbol", source: "fences", minzoom: 12, layout: { "text-field": ["get", "name"], "text-font": ["CityMap Regular", "Noto Sans CJK SC"], "text-size": 12 }, paint: { "text-color": colours.chosen, "text-halo-color": colours.edge, "text-halo-width": 1.6 } },
    { id: "draft-ground", type: "fill", source: "draft", filter: isArea, paint: { "fill-color": colours.idle, "fill-opacity": 0.18 } },
    line("draft-edge", "draft", { "line-color": colours.idle, "line-width": 3 }),
    line("tracks-edge", "tracks", { "line-color": colours.edge, "line-width": 6 }),
    line("tracks", "tracks", { "line-color": ["get", "colour"], "line-width": 3.5 }),
    line("ways-edge", "ways", { "line-color": colours.edge, "line-width": ["case", ["get", "chosen"], 9, 5], "line-opacity": ["case", ["get", "chosen"], 1, 0.5] }),
    line("ways", "ways", { "line-color": ["case", ["get", "chosen"], colours.chosen, colours.stale], "line-width": ["case", ["get", "chosen"], 5.5, 3] }),
    {
      id: "places", type: "circle", source: "places",
      paint: { "circle-radius": kind("target", 10, 7), "circle-color": kind("stop", colours.parked, kind("target", colours.chosen, colours.alarm)), "circle-stroke-color": colours.edge, "circle-stroke-width": 2.5 },
    },
  ];
}
