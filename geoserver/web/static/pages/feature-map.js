/** A small map of the features on this page, over the city's own style. Without it the tables still say everything. */

const holder = document.querySelector(".feature-map");
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
const COLOUR = dark ? "#7cc4ff" : "#0b63ce";
const EMPTY = { version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": dark ? "#1f2b37" : "#eaf0f5" } }] };

async function json(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.json();
}

/** The city's style, or plain ground where there is none. */
async function style() {
  try {
    const root = new URL("../../", import.meta.url);
    return await json(new URL(`styles/city?theme=${dark ? "dark" : "light"}&lang=${holder.dataset.language}`, root));
  } catch {
    return EMPTY;
  }
}

function bounds(features) {
  const box = [180, 90, -180, -90];
  const visit = (coordinates) => {
    if (typeof coordinates[0] !== "number") return coordinates.forEach(visit);
    const [x, y] = coordinates;
    box[0] = Math.min(box[0], x); box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x); box[3] = Math.max(box[3], y);
  };
  const geometries = (geometry) => geometry?.geometries?.flatMap(geometries) ?? (geometry ? [geometry] : []);
  features.flatMap(({ geometry }) => geometries(geometry)).forEach(({ coordinates }) => visit(coordinates));
  return box[0] <= box[2] ? box : null;
}

function featureLayers() {
  const source = "page";
  return [
    { id: "page-fill", type: "fill", source, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": COLOUR, "fill-opacity": 0.22 } },
    { id: "page-line", type: "line", source, filter: ["!=", ["geometry-type"], "Point"], layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": COLOUR, "line-width": 2.5 } },
    { id: "page-point", type: "circle", source, filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 6, "circle-color": COLOUR, "circle-stroke-color": dark ? "#0e151c" : "#ffffff", "circle-stroke-width": 2 } },
  ];
}

/** A click opens the feature; pointing at one marks its row. */
function connect(map) {
  const layers = featureLayers().map(({ id }) => id);
  const rows = new Map([...document.querySelectorAll("tr[data-feature]")].map((row) => [row.dataset.feature, row]));
  let pointed = null;
  map.on("mousemove", (event) => {
    const [feature] = map.queryRenderedFeatures(event.point, { layers });
    pointed?.classList.remove("pointed");
    pointed = feature ? rows.get(feature.properties.page_id) : null;
    pointed?.classList.add("pointed");
    map.getCanvas().classList.toggle("pointing", Boolean(feature));
  });
  if (rows.size === 0) return;
  map.on("click", (event) => {
    const [feature] = map.queryRenderedFeatures(event.point, { layers });
    if (feature) location.href = `${holder.dataset.items}/${encodeURIComponent(feature.properties.page_id)}`;
  });
}

function sheet() {
  const href = new URL("../vendor/maplibre-gl.css", import.meta.url).href;
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
  return new Promise((resolve, reject) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", reject);
    document.head.append(link);
  });
}

function texts() {
  const { title, zoomIn, zoomOut, gestureWindows, gestureMac, gestureTouch } = holder.dataset;
  return {
    "NavigationControl.ZoomIn": zoomIn,
    "NavigationControl.ZoomOut": zoomOut,
    "CooperativeGesturesHandler.WindowsHelpText": gestureWindows,
    "CooperativeGesturesHandler.MacHelpText": gestureMac,
    "CooperativeGesturesHandler.MobileHelpText": gestureTouch,
    "Map.Title": title,
  };
}

async function show() {
  const needed = [import("../vendor/maplibre-gl.mjs"), json(holder.dataset.features), style(), sheet()];
  const [library, answer, base] = await Promise.all(needed);
  const features = (answer.features ?? [answer]).map(({ id, geometry }) => ({ type: "Feature", geometry, properties: { page_id: String(id) } }));
  const box = bounds(features);
  if (!box) return;
  holder.hidden = false;
  const sources = { ...base.sources, page: { type: "geojson", data: { type: "FeatureCollection", features } } };
  const map = new library.Map({
    container: holder,
    style: { ...base, sources, layers: [...base.layers, ...featureLayers()] },
    bounds: box,
    fitBoundsOptions: { padding: 40, maxZoom: 17 },
    cooperativeGestures: true,
    localIdeographFontFamily: "system-ui, sans-serif",
    attributionControl: false,
    locale: texts(),
  });
  map.addControl(new library.NavigationControl({ showCompass: false }), "top-right");
  map.on("load", () => { holder.dataset.ready = "true"; });
  connect(map);
}

// No map then: the holder stays hidden and the table remains.
if (holder) show().catch(() => { holder.hidden = true; });
