/** The map as of an instant, and two instants side by side. */

import { execute } from "../api.js";
import { tilesOf } from "../style.js";
import { openBeside } from "./beside.js";

export function timeActions(city) {
  const { store } = city;
  let beside = null;

  /** Give every tile source the addresses of the chosen instant. */
  function applyInstant() {
    const { layers, asOf, hits } = store.get();
    const byId = new Map(layers.map((layer) => [layer.id, layer]));
    for (const [id, source] of Object.entries(city.style.sources)) city.map.getSource(id)?.setTiles(tilesOf(id, source, byId, asOf));
    if (hits) city.restyle();
  }

  const actions = {
    toggleTime() {
      if (store.get().time) return actions.closeTime();
      city.actions.closeMeasure();
      city.actions.closeEdit();
      actions.openTime();
    },
    openTime() {
      store.set({ time: true });
      actions.loadVersions();
    },
    /** The names that instants have; who cannot have them has the slider. */
    async loadVersions() {
      try {
        store.set({ versions: (await execute("list-versions", {})).map(({ name, at, note, layers }) => ({ name, at: exact(at), note, layers })) });
      } catch {
        store.set({ versions: [] });
      }
    },
    /** `asOf` is an ISO instant; null is now. */
    setInstant(asOf) {
      city.change({ asOf });
      applyInstant();
      if (store.get().table) city.actions.reloadTable();
    },
    /** The right side's instant (ISO or `now`); null ends the comparison. */
    setBeside(instant) {
      city.change({ beside: instant });
      if (!instant) {
        beside?.close();
        beside = null;
      } else if (beside) beside.update();
      else beside = openBeside(city);
    },
    moveDivider(share) {
      store.set({ divider: Math.min(95, Math.max(5, share)) });
      beside?.clip();
    },
    /** Leave the panel; what it shows goes back to now. */
    closeTime() {
      actions.setBeside(null);
      if (store.get().asOf) actions.setInstant(null);
      store.set({ time: false });
      city.map.getCanvas().focus();
    },
  };
  return actions;
}

/** An instant to the microsecond, which a `Date` would cut off: the state that the name was given to. */
const exact = (at) => at.replace(/\+00:00$/, "Z");
