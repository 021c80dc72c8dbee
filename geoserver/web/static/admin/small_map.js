/** A small map over the city: shapes in a style of the moment, or a layer as it would be drawn. */

import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { openMap, theme } from "../work/map_view.js";

const PLAIN = [
  { type: "fill", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#2f6fb0", "fill-opacity": 0.3 } },
  { type: "line", paint: { "line-color": "#2f6fb0", "line-width": 1.6 } },
  { type: "circle", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-color": "#2f6fb0", "circle-radius": 4 } },
];

/** `data` is GeoJSON; `layers` MapLibre layers without source; the map goes to the data once. */
export function SmallMap({ data, layers = PLAIN, label }) {
  const holder = useRef(null);
  const map = useRef(null);
  const [ready, setReady] = useState(false);
  const [missing, setMissing] = useState(false);
  const look = theme();
  useEffect(() => {
    let gone = false;
    setReady(false);
    openMap(holder.current, { bounds: boundsOf(data) ?? undefined, fitBoundsOptions: { padding: 30, maxZoom: 17 } }, label).then((opened) => {
      if (gone) return opened?.remove();
      if (!opened) return setMissing(true);
      map.current = opened;
      opened.on("load", () => setReady(true));
      return undefined;
    }, () => setMissing(true));
    return () => {
      gone = true;
      map.current?.remove();
      map.current = null;
    };
  }, [look, data]);
  useEffect(() => {
    const drawn = map.current;
    if (!ready || !drawn) return;
    for (const { id } of drawn.getStyle().layers.filter((one) => one.source === "seen")) drawn.removeLayer(id);
    if (!drawn.getSource("seen")) drawn.addSource("seen", { type: "geojson", data });
    layers.forEach((layer, n) => drawn.addLayer({ ...layer, id: `seen-${n}`, source: "seen" }));
  }, [ready, layers, data]);
  if (missing) return html`<p class="notice wait">${t("map.missing")}</p>`;
  return html`<div class="small-map" ref=${holder} data-ready=${String(ready)}></div>`;
}

function boundsOf({ features }) {
  const positions = features.flatMap(({ geometry }) => (geometry ? flat(geometry.coordinates ?? geometry.geometries?.map((one) => one.coordinates) ?? []) : []));
  if (positions.length === 0) return null;
  const range = (axis) => positions.reduce(([low, high], position) => [Math.min(low, position[axis]), Math.max(high, position[axis])], [Infinity, -Infinity]);
  const [[west, east], [south, north]] = [range(0), range(1)];
  return [west, south, east, north];
}

const flat = (coordinates) => (typeof coordinates[0] === "number" ? [coordinates] : coordinates.flatMap(flat));
