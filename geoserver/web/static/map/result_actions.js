/** What was found at a spot or by a search, and the shape of it on the map. */

import { getJson } from "./api.js";
import { boundsOf } from "./geometry.js";
import * as view from "./map.js";

export function resultActions(city) {
  const actions = {
    select(item) {
      city.change({ selected: item });
      if (!item) actions.highlight(null);
    },
    highlight(geometry) {
      city.store.set({ geometry });
      view.showSelection(city.map, geometry);
    },
    closeResults() {
      city.change({ results: null, selected: null });
      actions.highlight(null);
      (city.scene?.widget.canvas ?? city.map.getCanvas()).focus();
    },
    zoomTo(shape) {
      city.flyTo(boundsOf([shape]), 18);
    },
    pick(hit) {
      if (!city.layer(hit.layer).visible) city.actions.showLayer(hit.layer, true);
      city.change({ results: { found: [hit] }, selected: hit });
      const box = boundsOf(hit.geometries);
      if (box) city.flyTo(box);
    },
    goTo(place) {
      city.store.set({ results: null });
      city.flyTo([place.lng, place.lat, place.lng, place.lat], 16);
      actions.highlight({ type: "Point", coordinates: [place.lng, place.lat] });
    },
    /** What is drawn at a point of the canvas [px]. */
    identify(point) {
      const found = view.featuresAt(city.map, point);
      const place = city.map.unproject([point.x, point.y]).wrap();
      actions.highlight(null);
      city.change({ results: { place, found }, selected: found[0] ?? null });
    },
    /** Show the feature that the link names (`layer/id`). */
    async openLinked(at) {
      const [layer, id] = at.split("/").map(decodeURIComponent);
      if (!id || !city.layer(layer)) return;
      const item = { key: `${layer}/${id}`, layer, id };
      const feature = await getJson(`collections/${encodeURIComponent(layer)}/items/${encodeURIComponent(id)}`, { f: "json" }).catch(() => null);
      const title = feature?.properties?.[city.layer(layer).title_field];
      city.change({ results: { found: [{ ...item, title }] }, selected: { ...item, title } });
    },
  };
  return actions;
}
