/** Counted features on a MapLibre map: points coloured by light, everything else by its middle. */

const COLOURS = ["match", ["get", "light"], "red", "#d7301f", "amber", "#e08a00", "green", "#2e9e4f", "#3572b0"];
const SOURCE = "counted";
const wired = new WeakMap();

const corners = (coordinates) => (typeof coordinates[0] === "number" ? [coordinates] : coordinates.flatMap(corners));

/** West, south, east, north of features [degrees]; null for none. */
export function boxOf(features) {
  const points = features.flatMap(({ geometry }) => (geometry ? corners(geometry.coordinates) : []));
  if (points.length === 0) return null;
  const [lons, lats] = [points.map(([lon]) => lon), points.map(([, lat]) => lat)];
  return [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]];
}

function middle(feature) {
  const box = boxOf([feature]);
  if (!box) return null;
  const [[west, south], [east, north]] = box;
  const coordinates = feature.geometry.type === "Point" ? feature.geometry.coordinates : [(west + east) / 2, (south + north) / 2];
  return { type: "Feature", geometry: { type: "Point", coordinates }, properties: { id: feature.id, light: feature.properties.light ?? "" } };
}

/** Draw features, go to them where asked, and tell which one is clicked. */
export function show(map, { features, moved }, open) {
  const data = { type: "FeatureCollection", features: features.map(middle).filter(Boolean) };
  if (map.getSource(SOURCE)) map.getSource(SOURCE).setData(data);
  else wire(map, data);
  wired.set(map, { byId: new Map(features.map((feature) => [feature.id, feature])), open });
  const box = moved && boxOf(features);
  if (box) map.fitBounds(box, { padding: 48, maxZoom: 16, duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 600 });
  map.once("idle", () => told(map, data.features.length));
}

/** How many places are drawn and within which box, for who cannot look at the canvas. */
function told(map, shown) {
  const box = map.getBounds();
  const { clientWidth: width, clientHeight: height } = map.getCanvas();
  Object.assign(map.getContainer().dataset, { shown, width, height, west: box.getWest(), south: box.getSouth(), east: box.getEast(), north: box.getNorth() });
}

function wire(map, data) {
  map.addSource(SOURCE, { type: "geojson", data });
  const radius = ["interpolate", ["linear"], ["zoom"], 10, 5, 16, 9];
  map.addLayer({
    id: SOURCE,
    type: "circle",
    source: SOURCE,
    layout: { "circle-sort-key": ["match", ["get", "light"], "red", 3, "amber", 2, "green", 1, 0] },
    paint: { "circle-radius": radius, "circle-color": COLOURS, "circle-stroke-color": "#ffffff", "circle-stroke-width": 1.5 },
  });
  map.on("click", SOURCE, ({ features: [first] }) => {
    const { byId, open } = wired.get(map);
    open(byId.get(first.properties.id));
  });
  map.on("mouseenter", SOURCE, () => (map.getCanvas().style.cursor = "pointer"));
  map.on("mouseleave", SOURCE, () => (map.getCanvas().style.cursor = ""));
}
