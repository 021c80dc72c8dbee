/** The page's state in the address: `#map=…&on=a&off=b&fade=c:0.4&order=d,e&d3=1&scene=lng,lat,height,heading,pitch&at=layer/id …`. MapLibre keeps `map` itself. */

import { shownAbove } from "./layer_list.js";

export function readLink() {
  const values = new URLSearchParams(location.hash.slice(1));
  const list = (key) => (values.get(key) ?? "").split(",").filter(Boolean).map(decodeURIComponent);
  const pairs = (key) => Object.fromEntries(list(key).map((part) => [part.slice(0, part.indexOf(":")), part.slice(part.indexOf(":") + 1)]));
  return {
    hasView: values.has("map"),
    on: list("on"),
    off: list("off"),
    fade: Object.fromEntries(Object.entries(pairs("fade")).map(([id, opacity]) => [id, clamp(Number(opacity))])),
    dates: Object.fromEntries(Object.entries(pairs("dates")).flatMap(([id, text]) => datesOf(id, text))),
    order: list("order"),
    threeD: values.get("d3") === "1",
    scene: placeIn(values.get("scene")),
    at: values.get("at"),
    asOf: instant(values.get("asof")),
    beside: values.get("beside") === "now" ? "now" : instant(values.get("beside")),
    table: values.get("table"),
    filter: values.get("filter") ?? "",
  };
}

export function writeLink(state) {
  const { layers, threeD, scene, selected, asOf, beside, table } = state;
  const ids = (some) => some.map((layer) => encodeURIComponent(layer.id)).join(",");
  const pairs = (some, text) => some.map((layer) => `${encodeURIComponent(layer.id)}:${text(layer)}`).join(",");
  const shown = shownAbove(layers);
  const entries = {
    on: ids(layers.filter((layer) => layer.visible && !layer.initial)),
    off: ids(layers.filter((layer) => !layer.visible && layer.initial)),
    fade: pairs(layers.filter((layer) => layer.opacity < 1), (layer) => layer.opacity),
    dates: pairs(layers.filter((layer) => layer.dates), (layer) => layer.dates.join("/")),
    order: shown.some((layer, n) => n > 0 && layer.rank < shown[n - 1].rank) ? ids(shown) : "",
    d3: threeD ? "1" : "",
    scene: scene?.place?.join(",") ?? "",
    at: selected ? `${encodeURIComponent(selected.layer)}/${encodeURIComponent(selected.id)}` : "",
    asof: asOf ?? "",
    beside: beside ?? "",
    table: table ? encodeURIComponent(table.layer) : "",
    filter: table?.filter ? encodeURIComponent(table.filter) : "",
  };
  // Kept by hand: MapLibre writes `map=` with bare slashes, which URLSearchParams would escape.
  const kept = location.hash.slice(1).split("&").filter((part) => part && !(part.split("=")[0] in entries));
  const own = Object.entries(entries).filter(([, value]) => value).map(([key, value]) => `${key}=${value}`);
  const hash = [...kept, ...own].join("&");
  history.replaceState(history.state, "", hash ? `#${hash}` : location.pathname + location.search);
}

function clamp(opacity) {
  return Number.isFinite(opacity) ? Math.min(1, Math.max(0, opacity)) : 1;
}

function datesOf(id, text) {
  const days = text.split("/");
  return days.length === 2 && days.every((day) => /^(\d{4}-\d\d-\d\d)?$/.test(day)) ? [[id, days]] : [];
}

/** Where the camera of the full 3D view stands: five numbers, or null. */
function placeIn(text) {
  const numbers = (text ?? "").split(",").map(Number);
  const sound = numbers.length === 5 && numbers.every(Number.isFinite) && Math.abs(numbers[0]) <= 180 && Math.abs(numbers[1]) <= 90;
  return sound ? numbers : null;
}

/** Finer than a `Date` keeps: instants of named versions. */
const PRECISE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{4,6}Z$/;

function instant(text) {
  const at = new Date(text ?? NaN);
  return Number.isNaN(at.valueOf()) ? null : PRECISE.test(text) ? text : at.toISOString();
}
