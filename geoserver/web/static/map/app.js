/** Starts the map page: style and link first, then the map, then the page around it. */

import { render } from "preact";

import { ApiError, getJson } from "./api.js";
import { boundsOf } from "./geometry.js";
import { html } from "./html.js";
import { t } from "./i18n.js";
import * as view from "./map.js";
import { Page } from "./page.js";
import { readLink, writeLink } from "./permalink.js";
import { createStore } from "./store.js";
import { compose, listedLayers, loadStyle } from "./style.js";

const root = document.documentElement;
const store = createStore({ phase: "loading", theme: root.dataset.theme, panel: innerWidth >= 1200, busy: true, layers: [], results: null, selected: null });
let style;
let map;
let geometry = null;

/** The latest tiles that did not come, to ask for again when the reader says so. */
const failedTiles = [];
const MOST_FAILED = 500;

const change = (patch) => {
  store.set(patch);
  writeLink(store.get());
};

const updateLayer = (id, patch) => {
  const layers = store.get().layers.map((layer) => (layer.id === id ? { ...layer, ...patch } : layer));
  change({ layers });
  view.applyLayer(map, style, layers.find((layer) => layer.id === id), store.get().threeD);
};

const actions = {
  showLayer: (id, visible) => updateLayer(id, { visible }),
  fadeLayer: (id, opacity) => updateLayer(id, { opacity }),
  zoomToLayer(id) {
    const layer = store.get().layers.find((one) => one.id === id);
    if (!layer.visible) updateLayer(id, { visible: true });
    view.flyToBounds(map, layer.extent);
  },
  togglePanel: () => store.set({ panel: !store.get().panel }),
  toggleThreeD() {
    const threeD = !store.get().threeD;
    change({ threeD });
    view.setThreeD(map, style, store.get().layers, threeD);
  },
  async toggleTheme() {
    const theme = store.get().theme === "dark" ? "light" : "dark";
    try {
      style = await loadStyle(theme);
    } catch (error) {
      return say(error.message);
    }
    root.dataset.theme = theme;
    remember("citymap.theme", theme);
    const fresh = new Map(style.metadata["citymap:layers"].map((entry) => [entry.id, entry.legend]));
    store.set({ theme, layers: store.get().layers.map((layer) => ({ ...layer, legend: fresh.get(layer.id) ?? layer.legend })) });
    map.setStyle(compose(style, { ...store.get(), geometry: geometry ?? undefined }));
  },
  changeLanguage(lang) {
    const url = new URL(location.href);
    url.searchParams.set("lang", lang);
    location.assign(url);
  },
  async copyLink() {
    try {
      await navigator.clipboard.writeText(location.href);
      say(t("tools.link.done"));
    } catch {
      // Plain http on a LAN address has no clipboard; the address bar holds the same link.
      say(t("tools.link.manual"));
    }
  },
  select(item) {
    change({ selected: item });
    if (!item) this.highlight(null);
  },
  highlight(shape) {
    geometry = shape;
    view.showSelection(map, shape);
  },
  closeResults() {
    change({ results: null, selected: null });
    this.highlight(null);
    map.getCanvas().focus();
  },
  zoomTo(shape) {
    view.flyToBounds(map, boundsOf([shape]), 18);
  },
  pick(hit) {
    if (!store.get().layers.find((layer) => layer.id === hit.layer).visible) updateLayer(hit.layer, { visible: true });
    change({ results: { found: [hit] }, selected: hit });
    const box = boundsOf(hit.geometries);
    if (box) view.flyToBounds(map, box);
  },
  goTo(place) {
    store.set({ results: null });
    view.flyToBounds(map, [place.lng, place.lat, place.lng, place.lat], 16);
    geometry = { type: "Point", coordinates: [place.lng, place.lat] };
    view.showSelection(map, geometry);
  },
  retryTiles() {
    store.set({ tileError: null });
    settle(false);
    // By name: refreshing a whole source leaves its failed tiles waiting for ever (MapLibre 6.17).
    for (const { source, tile } of failedTiles.splice(0)) if (map.getSource(source)) map.refreshTiles(source, [tile]);
    map.triggerRepaint();
  },
};

function identify(point) {
  const found = view.featuresAt(map, point);
  const place = map.unproject([point.x, point.y]).wrap();
  actions.highlight(null);
  change({ results: { place, found }, selected: found[0] ?? null });
}

let silence;
function say(message) {
  store.set({ message });
  clearTimeout(silence);
  silence = setTimeout(() => store.set({ message: null }), 4000);
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

/** `data-ready` is true while nothing loads or moves: what tests and printers wait for. */
function settle(ready) {
  root.dataset.ready = String(ready);
  if (store.get().busy === ready) store.set({ busy: !ready });
}

function listen() {
  map.on("click", (event) => identify(event.point));
  map.on("dataloading", () => settle(false));
  map.on("movestart", () => settle(false));
  map.on("idle", () => settle(true));
  map.on("error", ({ error, sourceId, tile }) => {
    if (error?.name === "AbortError") return;
    if (sourceId && tile) failedTiles.push({ source: sourceId, tile: tile.tileID.canonical });
    if (failedTiles.length > MOST_FAILED) failedTiles.shift();
    store.set({ tileError: error?.status ? `HTTP ${error.status}` : t("error.network") });
  });
  map.getCanvas().addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const { clientWidth, clientHeight } = map.getCanvas();
    identify({ x: clientWidth / 2, y: clientHeight / 2 });
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && store.get().results && event.target.id !== "search") actions.closeResults();
  });
  addEventListener("online", () => store.set({ offline: false }));
  addEventListener("offline", () => store.set({ offline: true }));
}

async function openLinked(at) {
  const [layer, id] = at.split("/").map(decodeURIComponent);
  if (!id || !store.get().layers.some((one) => one.id === layer)) return;
  const item = { key: `${layer}/${id}`, layer, id };
  const feature = await getJson(`collections/${encodeURIComponent(layer)}/items/${encodeURIComponent(id)}`, { f: "json" }).catch(() => null);
  const title = feature?.properties?.[store.get().layers.find((one) => one.id === layer).title_field];
  change({ results: { found: [{ ...item, title }] }, selected: { ...item, title } });
}

/** What to show first when the link names no view: the layers it switches on, else the city. */
function firstBounds(layers, link) {
  const extents = layers.filter((layer) => link.on.includes(layer.id) && layer.extent).map((layer) => layer.extent);
  const corners = extents.map(([west, south, east, north]) => ({ coordinates: [[west, south], [east, north]] }));
  return boundsOf(corners) ?? style.metadata["citymap:bounds"];
}

async function start() {
  const app = document.getElementById("app");
  const page = document.createElement("div");
  page.className = "page";
  try {
    if (view.webglMissing()) throw new ApiError(t("error.webgl"), t("error.webgl.cure"));
    const link = readLink();
    style = await loadStyle(store.get().theme);
    const layers = listedLayers(style, link);
    store.set({ layers, threeD: link.threeD, empty: layers.every((layer) => !layer.extent), offline: !navigator.onLine });
    const canvas = document.createElement("div");
    canvas.className = "map";
    const position = document.createElement("div");
    position.className = "position";
    app.replaceChildren(canvas, position, page);
    map = view.createMap(canvas, style, store.get(), firstBounds(layers, link));
    window.citymap = { map, store };
    listen();
    view.followPosition(map, position);
    store.set({ phase: "ready" });
    if (link.at) openLinked(link.at);
  } catch (error) {
    app.replaceChildren(page);
    store.set({ phase: "failed", error: error instanceof ApiError ? error : new ApiError(String(error.message ?? error), t("error.request.cure")) });
  }
  render(html`<${Page} store=${store} actions=${actions} />`, page);
}

start();
