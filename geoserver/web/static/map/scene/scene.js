/**
 * The full view in three dimensions by CesiumJS: the ground of `dem`, the shown layers laid over it as the server draws them, and buildings
 * that tell what they are. Imported when it is opened first. Its workers are files of ours; no WebAssembly is needed.
 */

import {
  CesiumTerrainProvider, CesiumWidget, Color, Credit, CreditDisplay, FeatureDetection, ImageryLayer, JulianDate, Rectangle, ScreenSpaceEventType,
  UrlTemplateImageryProvider,
} from "cesium";

import { base } from "../api.js";
import { boundsOf } from "../geometry.js";
import { approach, faceNorth, flyTo, placeOf, setPlace, showView, step, turn, viewOf } from "./camera.js";
import { followKeys } from "./keys.js";
import { standing } from "./buildings.js";
import { newMark } from "./mark.js";

/** What stands upright, or is written on the map, is not laid over the ground. */
const UPRIGHT = new Set(["buildings", "buildings-3d", "schemes-3d", "addresses", "places", "pois"]);
/** Layers of one picture of the ground, and the deepest level of its tiles. */
const [MOST_LAYERS, DEEPEST] = [32, 18];
const GROUND = { light: "#f7f5f1", dark: "#1b2129" };
const SKY = { light: "#cfe3f3", dark: "#0d1622" };
/** Frames that nothing may load in before the view counts as complete. */
const CALM = 3;

/**
 * `shown` is `{layers, theme, bounds}`; `heard` the functions `moved(place)`, `picked(found, place)`, `settled(ready)`, `failed(cause)`.
 * Returns what the page does with the view.
 */
export async function createScene(container, shown, start, label, heard) {
  const terrain = shown.layers.some((layer) => layer.id === "dem" && layer.extent);
  const terrainProvider = terrain ? await CesiumTerrainProvider.fromUrl(new URL("collections/dem/terrain", base).href) : undefined;
  const widget = newWidget(container, terrainProvider);
  const { scene } = widget;
  const buildings = standing(scene, heard.failed);
  const mark = newMark(scene);
  Object.assign(scene.canvas, { tabIndex: 0 });
  for (const [name, text] of [["role", "application"], ["aria-label", label]]) scene.canvas.setAttribute(name, text);
  start.length ? setPlace(scene.camera, start) : showView(scene, start.view);
  widget.clock.currentTime = midMorning(scene.camera.positionCartographic.longitude);
  scene.camera.percentageChanged = 0.01;
  scene.camera.moveEnd.addEventListener(() => heard.moved(placeOf(scene.camera)));
  const pick = (point) => heard.picked(buildings.pick(point), buildings.placeAt(point));
  widget.screenSpaceEventHandler.setInputAction(({ position }) => pick(position), ScreenSpaceEventType.LEFT_CLICK);
  followKeys(scene, pick);
  watchLoading(scene, buildings, heard.settled);
  const drape = draper(scene, heard.failed);
  const show = (now) => {
    drape(now);
    buildings.show(now.layers);
    scene.requestRender();
  };
  show(shown);
  return {
    widget,
    show,
    place: () => placeOf(scene.camera),
    view: () => viewOf(scene),
    flyTo: (box) => flyTo(scene, box),
    step: (right, ahead) => step(scene, right, ahead),
    approach: (share) => approach(scene, share),
    turn: (around, over) => turn(scene, around, over),
    faceNorth: () => faceNorth(scene),
    choose: buildings.choose,
    renew: buildings.renew,
    mark: (geometry) => mark(geometry && boundsOf([geometry])),
    close: () => widget.destroy(),
  };
}

/** Lets CesiumJS try once what the browser can (see strict.js). */
export const lookAtBrowser = () => FeatureDetection.supportsImageRenderingPixelated();

function newWidget(container, terrainProvider) {
  // Its credits come with an inline style, which the policy of the page forbids: they stay apart from the page, which names its sources itself.
  CreditDisplay.cesiumCredit = new Credit("CesiumJS");
  const credits = document.createElement("div").attachShadow({ mode: "open" }).appendChild(document.createElement("div"));
  const widget = new CesiumWidget(container, {
    ...(terrainProvider ? { terrainProvider } : {}),
    baseLayer: false,
    skyBox: false,
    scene3DOnly: true,
    ...(drawnBySoftware() ? { msaaSamples: 1, skyAtmosphere: false } : {}),
    requestRenderMode: true,
    maximumRenderTimeChange: Infinity,
    showRenderLoopErrors: false,
    creditContainer: credits,
    creditViewport: credits,
  });
  const { globe } = widget.scene;
  widget.scene.light.intensity = 3;
  globe.showWaterEffect = false;
  globe.showGroundAtmosphere = false;
  globe.depthTestAgainstTerrain = true;
  return widget;
}

/** Whether there is no graphics card: smooth edges and a blue haze would then cost most of the time. */
function drawnBySoftware() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const told = gl?.getExtension("WEBGL_debug_renderer_info");
  return Boolean(told) && /swiftshader|llvmpipe|software|basic render/i.test(gl.getParameter(told.UNMASKED_RENDERER_WEBGL));
}

/** Half past ten by the sun of that longitude [radians], so that walls have light and shade at any hour. */
function midMorning(longitude) {
  const hours = 10.5 - (longitude * 12) / Math.PI;
  return JulianDate.addSeconds(JulianDate.fromIso8601("2026-04-20T00:00:00Z"), hours * 3600, new JulianDate());
}

/** Lays what is shown over the ground, as far as that has changed. */
function draper(scene, failed) {
  let drawn = null;
  return ({ layers, theme, bounds }) => {
    const names = layers.filter((layer) => layer.visible && layer.extent && !UPRIGHT.has(layer.id)).map((layer) => layer.id);
    const wanted = `${theme} ${names}`;
    if (wanted === drawn) return;
    drawn = wanted;
    scene.globe.baseColor = Color.fromCssColorString(GROUND[theme]);
    scene.backgroundColor = Color.fromCssColorString(SKY[theme]);
    if (scene.skyAtmosphere) scene.skyAtmosphere.show = theme === "light";
    scene.imageryLayers.removeAll();
    if (!names.length) return;
    const query = `collections=${names.slice(0, MOST_LAYERS).map(encodeURIComponent).join(",")}&size=512`;
    const provider = new UrlTemplateImageryProvider({
      url: `${new URL("styles/city/map/tiles/WebMercatorQuad/", base)}{z}/{y}/{x}?${query}`,
      rectangle: bounds ? Rectangle.fromDegrees(...bounds) : undefined,
      minimumLevel: bounds ? Math.max(0, Math.min(DEEPEST - 4, Math.floor(Math.log2(360 / Math.max(bounds[2] - bounds[0], bounds[3] - bounds[1]))))) : 0,
      maximumLevel: DEEPEST,
      tileWidth: 512,
      tileHeight: 512,
    });
    provider.errorEvent.addEventListener((error) => failed(error.message));
    // By night the day's colours are laid over dimmed.
    scene.imageryLayers.add(new ImageryLayer(provider, theme === "dark" ? { brightness: 0.45, saturation: 0.8 } : {}));
  };
}

function watchLoading(scene, buildings, settled) {
  let calm = 0;
  scene.postRender.addEventListener(() => {
    const complete = scene.globe.tilesLoaded && buildings.loaded();
    calm = complete ? calm + 1 : 0;
    settled(calm >= CALM);
    if (complete && calm < CALM) scene.requestRender();
  });
}
