/**
 * What the parts of the page share: `{store, map, style, actions}` and the few things that all of them do.
 * `map` and `style` are there once the page is ready.
 */

import * as view from "./map.js";
import { writeLink } from "./permalink.js";

const MESSAGE = 5000;

export function createCity(store) {
  let silence;
  const city = {
    store,
    map: null,
    style: null,
    /** The full 3D view while it is open. */
    scene: null,
    actions: {},
    /** Patch the state, and the link with it. */
    change(patch) {
      store.set(patch);
      writeLink(store.get());
    },
    /** A sentence at the foot of the page, for a while. */
    say(message) {
      store.set({ message });
      clearTimeout(silence);
      silence = setTimeout(() => store.set({ message: null }), MESSAGE);
    },
    /** Go to a box of degrees, in whichever view is open. */
    flyTo: (box, maxZoom) => (city.scene ? city.scene.flyTo(box) : view.flyToBounds(city.map, box, maxZoom)),
    restyle: () => view.restyle(city.map, city.style, store.get()),
    layer: (id) => store.get().layers.find((layer) => layer.id === id),
  };
  return city;
}

/** Keep a choice for the next visit. */
export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}
