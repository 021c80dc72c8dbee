/** Starts the map page: style and link first, then the map, then the page around it. */

import { render } from "preact";

import { ApiError } from "./api.js";
import { createCity } from "./city.js";
import { editActions } from "./edit/edit_actions.js";
import { boundsOf } from "./geometry.js";
import { html } from "./html.js";
import { t } from "./i18n.js";
import { layerActions } from "./layer_actions.js";
import { followChanges } from "./live.js";
import * as view from "./map.js";
import { measureActions } from "./measure.js";
import { Page } from "./page.js";
import { readLink } from "./permalink.js";
import { printActions } from "./print/print_actions.js";
import { resultActions } from "./result_actions.js";
import { sceneActions } from "./scene/scene_actions.js";
import { createStore } from "./store.js";
import { listedLayers, loadStyle, sourcesOf } from "./style.js";
import { tableActions } from "./table/table_actions.js";
import { tileTrouble } from "./tile_trouble.js";
import { timeActions } from "./time/time_actions.js";
import { viewActions } from "./view_actions.js";

const root = document.documentElement;
const city = createCity(
  createStore({
    phase: "loading",
    theme: root.dataset.theme,
    panel: innerWidth >= 1200,
    busy: true,
    layers: [],
    results: null,
    selected: null,
    geometry: null,
    measure: null,
    edit: null,
    table: null,
    hits: null,
    asOf: null,
    beside: null,
    versions: [],
    divider: 50,
    scene: null,
    changes: {},
  }),
);
const tiles = tileTrouble(city, settle);
city.actions = {
  ...layerActions(city),
  ...viewActions(city),
  ...resultActions(city),
  ...measureActions(city),
  ...tableActions(city),
  ...editActions(city),
  ...timeActions(city),
  ...printActions(city),
  ...sceneActions(city),
  retryTiles: tiles.retryTiles,
};

/** `data-ready` is true while nothing loads or moves: what tests and printers wait for. */
function settle(ready) {
  root.dataset.ready = String(ready);
  if (city.store.get().busy === ready) city.store.set({ busy: !ready });
}

function listen() {
  const { map, store, actions } = city;
  // A tool that is at work takes the click, else it asks what is there.
  const clicked = (point, place) => (store.get().measure ? actions.measureCorner(place) : !store.get().edit && actions.identify(point));
  map.on("click", (event) => clicked(event.point, event.lngLat.wrap()));
  map.on("dataloading", () => settle(false));
  map.on("movestart", () => settle(false));
  map.on("idle", () => settle(true));
  map.on("error", tiles.note);
  map.getCanvas().addEventListener("keydown", (event) => {
    if (event.key === "Backspace" && store.get().measure) actions.undoCorner();
    if (event.key !== "Enter") return;
    const { clientWidth, clientHeight } = map.getCanvas();
    clicked({ x: clientWidth / 2, y: clientHeight / 2 }, map.getCenter().wrap());
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.target.id === "search") return;
    if (store.get().measure) actions.closeMeasure();
    else if (store.get().results) actions.closeResults();
    else if (store.get().time) actions.closeTime();
    else if (store.get().table) actions.closeTable();
  });
  addEventListener("online", () => store.set({ offline: false }));
  addEventListener("offline", () => store.set({ offline: true }));
  followChanges(map, (layer) => sourcesOf(city.style, layer), noteChanges);
}

/** Count the changes of each layer, so that what shows one reads it again; null are all. */
function noteChanges(layers) {
  const { changes, layers: listed } = city.store.get();
  const changed = layers ?? listed.map((layer) => layer.id);
  city.store.set({ changes: { ...changes, ...Object.fromEntries(changed.map((id) => [id, (changes[id] ?? 0) + 1])) } });
}

/** What to show first when the link names no view: the layers it switches on, else the city. */
function firstBounds(layers, link) {
  const extents = layers.filter((layer) => link.on.includes(layer.id) && layer.extent).map((layer) => layer.extent);
  const corners = extents.map(([west, south, east, north]) => ({ coordinates: [[west, south], [east, north]] }));
  return boundsOf(corners) ?? city.style.metadata["citymap:bounds"];
}

function createPlaces(app, page) {
  const places = ["map", "position"].map((name) => Object.assign(document.createElement("div"), { className: name }));
  app.replaceChildren(...places, page);
  return places;
}

async function start() {
  const app = document.getElementById("app");
  const page = Object.assign(document.createElement("div"), { className: "page" });
  const { store, actions } = city;
  try {
    if (view.webglMissing()) throw Object.assign(new ApiError(t("error.webgl"), t("error.webgl.cure")), { lite: true });
    const link = readLink();
    city.style = await loadStyle(store.get().theme);
    const layers = listedLayers(city.style, link);
    const empty = layers.every((layer) => !layer.extent);
    store.set({ layers, threeD: link.threeD, asOf: link.asOf, empty, offline: !navigator.onLine });
    const [canvas, position] = createPlaces(app, page);
    city.map = view.createMap(canvas, city.style, store.get(), firstBounds(layers, link));
    window.citymap = city;
    listen();
    view.followPosition(city.map, position);
    store.set({ phase: "ready" });
    for (const layer of layers) if (layer.visible && layer.kind === "coverage") actions.readLegend(layer.id);
    if (link.at) actions.openLinked(link.at);
    if (link.scene) actions.openScene(link.scene);
    if (link.asOf || link.beside) actions.openTime();
    if (link.beside) city.map.once("load", () => actions.setBeside(link.beside));
    if (city.layer(link.table)?.kind === "vector") city.map.once("load", () => actions.openTable(link.table, link.filter));
  } catch (error) {
    app.replaceChildren(page);
    store.set({ phase: "failed", error: error instanceof ApiError ? error : new ApiError(String(error.message ?? error), t("error.request.cure")) });
  }
  render(html`<${Page} store=${store} actions=${actions} camera=${() => city.scene} />`, page);
}

start();
