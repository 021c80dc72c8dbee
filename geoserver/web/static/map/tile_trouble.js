/** Tiles that did not come: told once, and asked for again when the reader says so. */

import { t } from "./i18n.js";

const MOST = 500;

/** `settle(false)` is called when tiles are asked for again. */
export function tileTrouble(city, settle) {
  const failed = [];
  return {
    note({ error, sourceId, tile }) {
      if (error?.name === "AbortError") return;
      if (sourceId && tile) failed.push({ source: sourceId, tile: tile.tileID.canonical });
      if (failed.length > MOST) failed.shift();
      city.store.set({ tileError: error?.status ? `HTTP ${error.status}` : t("error.network") });
    },
    retryTiles() {
      city.store.set({ tileError: null });
      settle(false);
      // By name: refreshing a whole source leaves its failed tiles waiting for ever (MapLibre 6.17).
      for (const { source, tile } of failed.splice(0)) if (city.map.getSource(source)) city.map.refreshTiles(source, [tile]);
      city.map.triggerRepaint();
    },
  };
}
