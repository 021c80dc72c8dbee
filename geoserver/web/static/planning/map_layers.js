/** How the page's own features are drawn, and which layers of the city lie under them. */

import { theme } from "../work/map_view.js";
import { SUN } from "./scheme_panel.js";
import { SEVERITIES } from "./words.js";

/** Layers of the plan that may lie under what is at hand. */
export const PLAN = ["control-plan", "control-lines", "open-control-lines", "control-zones", "redlines"];
const RED = "#e00000";
const BLUE = "#2f6fb0";
const PLOTS = { added: "#1c7c45", removed: "#c4281c", changed: "#c98500" };
const kindIs = (...kinds) => ["in", ["get", "kind"], ["literal", kinds]];
const severity = () => ["match", ["get", "severity"], ...Object.entries(SEVERITIES).flatMap(([name, [, , colour]]) => [name, colour]), BLUE];
const area = () => ["match", ["get", "kind"], ["chosen", "line"], RED, "green", "#3f9a58", "building", "#7a5cc4", "plot", ["match", ["get", "how"], ...Object.entries(PLOTS).flat(), BLUE], BLUE];

export function addLayers(map) {
  const [paper, ink] = theme() === "dark" ? ["#0f161d", "#e7eef4"] : ["#ffffff", "#17222d"];
  map.addSource("plan-work", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  const add = (id, type, filter, paint, layout = {}) => map.addLayer({ id: `work-${id}`, type, source: "plan-work", filter, paint, layout });
  const steps = SUN.slice(1).flatMap(([hours, colour]) => [hours, colour]);
  add("sun", "fill", kindIs("sun"), { "fill-color": ["step", ["get", "hours"], SUN[0][1], ...steps], "fill-opacity": 0.75, "fill-antialias": false });
  add("shadow", "fill", kindIs("shadow"), { "fill-color": "#10182b", "fill-opacity": 0.28, "fill-antialias": false });
  add("area", "fill", kindIs("chosen", "line", "green", "candidate", "plot", "notice"), { "fill-color": area(), "fill-opacity": ["case", ["==", ["get", "picked"], true], 0.5, ["match", ["get", "kind"], ["candidate", "plot", "green"], 0.32, 0.08]] });
  add("piece", "fill", ["all", kindIs("piece"), ["==", ["geometry-type"], "Polygon"]], { "fill-color": severity(), "fill-opacity": ["case", ["==", ["get", "picked"], true], 0.75, 0.34] });
  add("edge", "line", kindIs("chosen", "line", "candidate", "plot", "notice"), { "line-color": area(), "line-width": ["match", ["get", "kind"], "chosen", 3, 1.8] });
  add("piece-edge", "line", kindIs("piece"), { "line-color": ["case", ["==", ["get", "picked"], true], ink, severity()], "line-width": ["case", ["==", ["geometry-type"], "LineString"], 5, ["==", ["get", "picked"], true], 3, 1.2] });
  add("building", "fill", kindIs("building"), { "fill-color": area(), "fill-opacity": 0.55, "fill-outline-color": ink });
  add("point", "circle", kindIs("point"), { "circle-radius": 3.5, "circle-color": RED, "circle-stroke-color": paper, "circle-stroke-width": 1.5 });
  add("text", "symbol", ["has", "text"], { "text-color": ink, "text-halo-color": paper, "text-halo-width": 1.6 }, {
    "text-field": ["get", "text"], "text-font": ["CityMap Regular", "Noto Sans CJK SC"], "text-size": 12, "text-optional": true,
    "text-anchor": ["match", ["get", "kind"], "point", "bottom-left", "center"],
  });
}

/** Show these layers of the plan, and hide the others. */
export function showPlan(map, shown) {
  const plan = new Set(PLAN);
  for (const layer of map.getStyle().layers) {
    const id = layer.metadata?.["citymap:layer"];
    if (plan.has(id)) map.setLayoutProperty(layer.id, "visibility", shown.includes(id) ? "visible" : "none");
  }
}
