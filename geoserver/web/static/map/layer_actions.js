/** What the layer list does. */

import { moved } from "./layer_list.js";
import * as view from "./map.js";
import { tilesOf } from "./style.js";

export function layerActions(city) {
  const update = (id, patch) => {
    const layers = city.store.get().layers.map((layer) => (layer.id === id ? { ...layer, ...patch } : layer));
    city.change({ layers });
    view.applyLayer(city.map, city.style, city.layer(id), city.store.get().threeD);
  };
  return {
    showLayer: (id, visible) => update(id, { visible }),
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
