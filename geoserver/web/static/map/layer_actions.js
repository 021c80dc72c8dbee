/** What the layer list does. */

import { getJson } from "./api.js";
import { moved } from "./layer_list.js";
import * as view from "./map.js";
import { tilesOf } from "./style.js";

export function layerActions(city) {
  const update = (id, patch) => {
    const layers = city.store.get().layers.map((layer) => (layer.id === id ? { ...layer, ...patch } : layer));
    city.change({ layers });
    view.applyLayer(city.map, city.style, city.layer(id), city.store.get().threeD);
  };
  const read = new Set();
  /** The colours of a picture, which only the server knows; asked for once. */
  async function readLegend(id) {
    if (read.has(id)) return;
    read.add(id);
    const answer = await getJson(`collections/${encodeURIComponent(id)}/legend`).catch(() => read.delete(id));
    if (answer?.entries) city.store.set({ layers: city.store.get().layers.map((layer) => (layer.id === id ? { ...layer, legend: answer.entries } : layer)) });
  }
  return {
    readLegend,
    showLayer(id, visible) {
      update(id, { visible });
      if (visible && city.layer(id).kind === "coverage") readLegend(id);
    },
    fadeLayer: (id, opacity) => update(id, { opacity }),
    /** `dates` are two days (`2026-01-31`, empty for open), or null for all. */
    dateLayer(id, dates) {
      update(id, { dates });
      const { layers, asOf } = city.store.get();
      const source = `layer:${id}`;
      const byId = new Map(layers.map((layer) => [layer.id, layer]));
      view.setTiles(city.map, source, tilesOf(source, city.style.sources[source], byId, asOf));
    },
    moveLayer(id, step) {
      const layers = moved(city.store.get().layers, id, step);
      if (!layers) return;
      city.change({ layers });
      city.restyle();
    },
    zoomToLayer(id) {
      const layer = city.layer(id);
      if (!layer.visible) update(id, { visible: true });
      city.flyTo(layer.extent);
    },
  };
}
