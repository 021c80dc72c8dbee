/** A small map over the city's own style, loaded when it is first wanted. */

import { language, mapTexts } from "../map/i18n.js";
import { ask } from "./api.js";

const CHINA = [73.5, 18, 135, 53.6];

export const theme = () => document.documentElement.dataset.theme;
export const webglMissing = () => !document.createElement("canvas").getContext("webgl2");

const plain = () => ({
  version: 8,
  sources: {},
  layers: [{ id: "ground", type: "background", paint: { "background-color": theme() === "dark" ? "#1f2b37" : "#eaf0f5" } }],
});

/** The style with tiles from this page's own origin; plain ground where it cannot be had. */
async function cityStyle() {
  try {
    const style = await ask("GET", "styles/city", { query: { theme: theme(), lang: language }, patience: 10_000 });
    for (const source of Object.values(style.sources)) source.tiles = source.tiles?.map(ownOrigin);
    return style;
  } catch {
    return plain();
  }
}

function ownOrigin(tiles) {
  const { pathname, search } = new URL(tiles);
  return location.origin + decodeURI(pathname) + decodeURIComponent(search);
}

/** MapLibre and a map in `container`; `view` names its bounds or centre. Null where WebGL 2 is missing. */
export async function openMap(container, view = {}, label = "") {
  if (webglMissing()) return null;
  const [library, style] = await Promise.all([import("maplibre-gl"), cityStyle()]);
  const place = view.center ? view : { bounds: style.metadata?.["citymap:bounds"] ?? CHINA, ...view };
  const map = new library.Map({
    container,
    style,
    ...place,
    maxZoom: 20,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    locale: mapTexts,
    localIdeographFontFamily: false,
    attributionControl: false,
    fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new library.AttributionControl({ compact: true }), "bottom-left");
  map.addControl(new library.NavigationControl({ showCompass: false }), "bottom-right");
  map.once("load", () => {
    const credit = container.querySelector(".maplibregl-ctrl-attrib");
    credit?.classList.remove("maplibregl-compact-show");
    credit?.removeAttribute("open");
  });
  if (label) map.getCanvas().setAttribute("aria-label", label);
  return map;
}

/** A circle of so many metres around a place, as a polygon [°]. */
export function circle([lon, lat], metres) {
  const ring = [];
  for (let n = 0; n <= 48; n += 1) {
    const angle = (n / 48) * 2 * Math.PI;
    const east = (metres * Math.cos(angle)) / (111_320 * Math.cos((lat * Math.PI) / 180));
    ring.push([lon + east, lat + (metres * Math.sin(angle)) / 110_574]);
  }
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}
