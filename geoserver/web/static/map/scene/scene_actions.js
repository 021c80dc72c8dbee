/** Opening and closing the full 3D view, which lies over the map and shows the same layers. */

import { ApiError } from "../api.js";
import { t } from "../i18n.js";
import { readScene } from "./strict.js";

/** Changes of these make the buildings of the view stale. */
const RENEWED = ["buildings-3d", "schemes-3d"];

export function sceneActions(city) {
  const { store } = city;
  const root = document.documentElement;
  let container = null;
  let forget = null;

  const set = (patch) => city.change({ scene: { ...store.get().scene, ...patch } });
  const settled = (ready) => {
    if (root.dataset.scene === String(ready)) return;
    root.dataset.scene = String(ready);
    store.set({ busy: !ready });
  };
  const heard = {
    moved: (place) => store.get().scene && set({ place }),
    settled,
    failed: (cause) => city.say(t("scene.missing", { cause })),
    picked(found, place) {
      const item = found && { ...found, key: `${found.layer}/${found.id}` };
      city.change({ results: place || item ? { place, found: item ? [item] : [] } : null, selected: item });
      if (!item) city.actions.highlight(null);
    },
  };
  const shownNow = ({ layers, theme }) => ({ layers, theme, bounds: city.style.metadata["citymap:bounds"] });

  /** What the page's state means for the view, whenever it changes. */
  const follow = () => {
    let before = store.get();
    return store.subscribe((now) => {
      const { scene } = city;
      if (!scene) return;
      if (now.layers !== before.layers || now.theme !== before.theme) scene.show(shownNow(now));
      if (now.selected !== before.selected) scene.choose(now.selected);
      if (now.geometry !== before.geometry) scene.mark(RENEWED.includes(now.selected?.layer) ? null : now.geometry);
      for (const layer of RENEWED) if (now.changes[layer] !== before.changes[layer]) scene.renew(layer);
      before = now;
    });
  };

  const actions = {
    /** At `place` of the link, else where the map is. */
    async openScene(place = null) {
      for (const name of ["closeMeasure", "closeEdit", "closeTable"]) city.actions[name]();
      if (store.get().time) city.actions.closeTime();
      city.change({ scene: { phase: "loading", place }, printing: false, tileError: null });
      root.dataset.scene = "false";
      container?.remove();
      container = Object.assign(document.createElement("div"), { className: "scene" });
      city.map.getContainer().after(container);
      const here = container;
      try {
        const { createScene } = await readScene();
        const { lng, lat } = city.map.getCenter().wrap();
        const view = { lng, lat, zoom: city.map.getZoom(), bearing: city.map.getBearing(), pitch: city.map.getPitch() };
        const made = await createScene(here, shownNow(store.get()), place ?? { view }, t("scene.label"), heard);
        if (container !== here) return made.close();
        city.scene = made;
        forget = follow();
        made.choose(store.get().selected);
        set({ phase: "ready", place: made.place() });
        made.widget.canvas.focus();
      } catch (error) {
        if (container === here) set({ phase: "failed", error: error instanceof ApiError ? error : new ApiError(t("scene.failed", { cause: error.message ?? error }), t("scene.failed.cure")) });
      }
    },
    /** Back to the map, which then shows the same place. */
    closeScene() {
      const view = city.scene?.view();
      forget?.();
      city.scene?.close();
      city.scene = forget = null;
      container?.remove();
      container = null;
      delete root.dataset.scene;
      city.change({ scene: null, busy: false });
      if (view) city.map.jumpTo({ center: [view.lng, view.lat], zoom: Math.min(20, view.zoom), bearing: view.bearing });
      city.map.getCanvas().focus();
    },
    toggleScene: () => (store.get().scene ? actions.closeScene() : actions.openScene()),
  };
  return actions;
}
