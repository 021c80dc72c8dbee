/** A second map above the first, cut off at the divider: the same view at another instant. */

import * as maplibre from "maplibre-gl";

import { withRevision } from "../live.js";
import { compose } from "../style.js";

/** Follows the first map in all but the instant. Returns `{update, clip, close}`. */
export function openBeside(city) {
  const { map, store } = city;
  const container = Object.assign(document.createElement("div"), { className: "map beside" });
  container.setAttribute("aria-hidden", "true");
  map.getContainer().after(container);
  const composed = () => {
    const state = store.get();
    return compose(city.style, { ...state, asOf: state.beside === "now" ? null : state.beside, hits: null, measure: null });
  };
  const other = new maplibre.Map({
    container,
    style: composed(),
    interactive: false,
    attributionControl: false,
    localIdeographFontFamily: false,
    refreshExpiredTiles: false,
    transformRequest: withRevision,
    maxPitch: 70,
    ...camera(map),
  });
  other.getCanvas().tabIndex = -1;
  other.on("idle", () => (container.dataset.ready = "true"));
  const follow = () => other.jumpTo(camera(map));
  const moving = map.on("move", follow);
  let drawn = store.get();
  const update = () => {
    delete container.dataset.ready;
    other.setStyle(composed(), { diff: false });
  };
  const watching = store.subscribe((state) => {
    const stale = ["layers", "theme", "threeD", "geometry"].some((key) => state[key] !== drawn[key]);
    drawn = state;
    if (stale) other.setStyle(composed());
  });
  const clip = () => {
    container.style.clipPath = `inset(0 0 0 ${store.get().divider}%)`;
  };
  clip();
  return {
    update,
    clip,
    close() {
      moving.unsubscribe();
      watching();
      other.remove();
      container.remove();
    },
  };
}

const camera = (map) => ({ center: map.getCenter(), zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch() });
