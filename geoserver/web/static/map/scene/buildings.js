/** What stands on the ground of the full 3D view: the layers of buildings, as 3D Tiles. */

import { Cartesian2, Cartographic, Cesium3DTileStyle, Cesium3DTileset, Math as Angle } from "cesium";

import { base } from "../api.js";

/** Layers that stand, each shown with the layer whose switch it follows; schemes of the planners come with their own. */
const STANDING = { "buildings-3d": "buildings", "schemes-3d": "schemes-3d" };
const CHOSEN = "color('#ff9a3c')";

/** Keeps the tilesets of a scene; `failed(cause)` hears of what did not come. */
export function standing(scene, failed) {
  const sets = new Map();
  let shown = [];
  let chosen = null;

  const add = async (layer) => {
    sets.set(layer, null);
    try {
      const address = new URL(`collections/${encodeURIComponent(layer)}/3dtiles/tileset.json`, base);
      const tileset = await Cesium3DTileset.fromUrl(address.href);
      if (scene.isDestroyed() || sets.get(layer)) return;
      tileset.tileFailed.addEventListener((error) => failed(error.message));
      sets.set(layer, scene.primitives.add(tileset));
      dress(layer);
      showAll();
    } catch (error) {
      sets.delete(layer);
      failed(String(error.message ?? error));
    }
  };
  const dress = (layer) => {
    const tileset = sets.get(layer);
    if (!tileset) return;
    const here = chosen?.layer === layer && /^\d+$/.test(chosen.id);
    tileset.style = here ? new Cesium3DTileStyle({ color: { conditions: [[`\${id} === ${chosen.id}`, CHOSEN], ["true", "color('white')"]] } }) : undefined;
    scene.requestRender();
  };
  const showAll = () => {
    const on = (id) => shown.some((layer) => layer.id === id && layer.visible);
    for (const [layer, tileset] of sets) if (tileset) tileset.show = on(STANDING[layer]);
    scene.requestRender();
  };
  return {
    /** Stand what the list of layers shows. */
    show(layers) {
      shown = layers;
      for (const [layer, by] of Object.entries(STANDING)) {
        const listed = layers.find(({ id }) => id === layer);
        if (listed?.extent && layers.some(({ id, visible }) => id === by && visible) && !sets.has(layer)) add(layer);
      }
      showAll();
    },
    /** Set the feature `{layer, id}` off from the others; null none. */
    choose(feature) {
      const before = chosen;
      chosen = feature && { layer: feature.layer, id: String(feature.id) };
      for (const layer of new Set([before?.layer, chosen?.layer])) dress(layer);
    },
    /** Fetch a layer again, whose features have changed. */
    renew(layer) {
      const tileset = sets.get(layer);
      if (!tileset) return;
      sets.delete(layer);
      add(layer).then(() => scene.isDestroyed() || scene.primitives.remove(tileset));
    },
    loaded: () => [...sets.values()].every((tileset) => tileset && (!tileset.show || tileset.tilesLoaded)),
    /** The feature that is drawn at a point of the canvas [px]: `{layer, id, title}`, or null. */
    pick(point) {
      const found = scene.pick(Cartesian2.clone(point));
      const layer = [...sets].find(([, tileset]) => tileset && tileset === found?.tileset)?.[0];
      const id = layer && found.getProperty("id");
      return Number.isFinite(id) ? { layer, id: Math.round(id), title: found.getProperty("name") || undefined } : null;
    },
    /** The ground there: `{lng, lat}`, or null where the sky is. */
    placeAt(point) {
      const ray = scene.camera.getPickRay(point);
      const ground = ray && scene.globe.pick(ray, scene);
      if (!ground) return null;
      const { longitude, latitude } = Cartographic.fromCartesian(ground);
      return { lng: Angle.toDegrees(longitude), lat: Angle.toDegrees(latitude) };
    },
  };
}
