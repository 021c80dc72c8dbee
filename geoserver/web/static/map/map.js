/** The MapLibre map and what the page does with it. */

import * as maplibre from "maplibre-gl";

import { boundsOf, formatPosition } from "./geometry.js";
import { mapTexts, t } from "./i18n.js";
import { withRevision } from "./live.js";
import { cityLayer, compose, emptyGeometry, fadedPaint, visibility } from "./style.js";

const CHINA = [73.5, 18, 135, 53.6];
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

export const webglMissing = () => !document.createElement("canvas").getContext("webgl2");

/** A map in `container`, showing the link's view, else `bounds`. */
export function createMap(container, style, state, bounds) {
  const map = new maplibre.Map({
    container,
    style: compose(style, state),
    bounds: bounds ?? CHINA,
    fitBoundsOptions: { padding: 8, maxZoom: 16 },
    hash: "map",
    maxPitch: 70,
    minZoom: 2,
    maxZoom: 21,
    locale: mapTexts,
    localIdeographFontFamily: false,
    attributionControl: false,
    refreshExpiredTiles: false,
    transformRequest: withRevision,
    cancelPendingTileRequestsWhileZooming: true,
  });
  map.addControl(new maplibre.AttributionControl({ compact: true }), "bottom-right");
  // On a phone the credit would cover the position; one tap opens it.
  if (innerWidth < 720) map.once("load", () => foldCredit(container));
  map.addControl(new maplibre.NavigationControl({ visualizePitch: true }), "bottom-right");
  // Browsers give positions to secure pages only.
  if (window.isSecureContext) {
    const options = { positionOptions: { enableHighAccuracy: true }, showAccuracyCircle: true, trackUserLocation: true };
    map.addControl(new maplibre.GeolocateControl(options), "bottom-right");
  }
  map.addControl(new maplibre.ScaleControl({ maxWidth: 110, unit: "metric" }), "bottom-left");
  map.getCanvas().setAttribute("aria-label", t("map.label"));
  map.touchPitch.enable();
  return map;
}

function foldCredit(container) {
  const credit = container.querySelector(".maplibregl-ctrl-attrib");
  credit.classList.remove("maplibregl-compact-show");
  credit.removeAttribute("open");
}

/** Space that the page's cards cover, so that what is flown to lies in the open part of the map. */
export function roomForPanels() {
  const wide = innerWidth >= 1000;
  const drawer = document.querySelector(".drawer")?.clientHeight ?? 0;
  return wide ? { top: 40, bottom: 40 + drawer, left: 400, right: 400 } : { top: 84, bottom: 60 + drawer, left: 24, right: 60 };
}

export function flyToBounds(map, box, maxZoom = 17) {
  const narrow = innerWidth < 720;
  const padding = narrow ? { ...roomForPanels(), bottom: Math.round(innerHeight * 0.5) } : roomForPanels();
  map.fitBounds([box.slice(0, 2), box.slice(2)], { padding, maxZoom, duration: reducedMotion.matches ? 0 : 800 });
}

/** Apply a layer's switch and fade to its style parts. */
export function applyLayer(map, style, layer, threeD) {
  for (const part of style.layers) {
    if (cityLayer(part) !== layer.id || !map.getLayer(part.id)) continue;
    map.setLayoutProperty(part.id, "visibility", visibility(part, layer, threeD));
    for (const [name, value] of Object.entries(fadedPaint(part, layer.opacity))) map.setPaintProperty(part.id, name, value);
  }
}

/** Draw all anew from the page's state; what a tool has drawn on the map itself (its parts begin with `td-`) stays. */
export function restyle(map, style, state) {
  const own = (entries) => entries.filter(([id]) => id.startsWith("td-"));
  map.setStyle(compose(style, state), {
    transformStyle: (before, after) => ({
      ...after,
      sources: { ...after.sources, ...Object.fromEntries(own(Object.entries(before?.sources ?? {}))) },
      layers: [...after.layers, ...own((before?.layers ?? []).map((part) => [part.id, part])).map(([, part]) => part)],
    }),
  });
}

/** Give a source its tile addresses anew; a picture or vector source then loads them. */
export function setTiles(map, id, tiles) {
  map.getSource(id)?.setTiles(tiles);
}

export function showSelection(map, geometry) {
  const data = geometry ? { type: "Feature", geometry, properties: { vast: fillsView(map, geometry) } } : emptyGeometry();
  map.getSource("selection")?.setData(data);
}

/** Whether a shape reaches over most of the view, so that tinting it would tint everything. */
function fillsView(map, geometry) {
  const box = boundsOf([geometry]);
  if (!box) return false;
  const [from, to] = [map.project([box[0], box[3]]), map.project([box[2], box[1]])];
  return (to.x - from.x) * (to.y - from.y) > 0.8 * innerWidth * innerHeight;
}

/** Distinct features drawn within `reach` pixels of a point, topmost first. */
export function featuresAt(map, point, reach = 4, limit = 20) {
  const box = [
    [point.x - reach, point.y - reach],
    [point.x + reach, point.y + reach],
  ];
  const found = new Map();
  for (const feature of map.queryRenderedFeatures(box)) {
    const layer = cityLayer(feature.layer);
    if (!layer || feature.id === undefined) continue;
    const key = `${layer}/${feature.id}`;
    if (!found.has(key)) found.set(key, { key, layer, id: feature.id, properties: feature.properties, area: isArea(feature) });
    if (found.size >= limit) break;
  }
  // What encloses everything says least about the spot.
  return [...found.values()].sort((a, b) => rank(a) - rank(b));
}

const isArea = (feature) => feature.geometry.type.endsWith("Polygon");
const rank = (found) => ({ "admin-areas": 3, "land-use": 2 })[found.layer] ?? (found.area ? 1 : 0);

/** Write the pointer's position, or the map's centre where there is no pointer, into `element`. */
export function followPosition(map, element) {
  const write = (place) => {
    element.textContent = `${formatPosition(place)} · ${t("map.zoom", { zoom: map.getZoom().toFixed(1) })}`;
  };
  map.on("mousemove", (event) => write(event.lngLat.wrap()));
  map.on("move", () => write(map.getCenter().wrap()));
  write(map.getCenter());
}

/** Lean back for the third dimension, or look straight down. */
export function tilt(map, threeD) {
  map.easeTo({ pitch: threeD ? 55 : 0, bearing: threeD ? map.getBearing() || -18 : 0, duration: reducedMotion.matches ? 0 : 700 });
}
