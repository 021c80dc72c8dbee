/** The map beside the open case: all cases by their lights, this one, where its steps were done. */

import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { openMap, theme } from "../work/map_view.js";
import { actions } from "./state.js";

const COLOURS = { red: "#c4281c", amber: "#c98500", green: "#1c7c45", none: "#5b6b7a" };
const NEAR = 17;

export function CaseMap({ state }) {
  const holder = useRef(null);
  const map = useRef(null);
  const [ready, setReady] = useState(false);
  const [missing, setMissing] = useState(false);
  const look = theme();

  useEffect(() => {
    let gone = false;
    setReady(false);
    openMap(holder.current, {}, t("map.label")).then((opened) => {
      if (gone) return opened?.remove();
      if (!opened) return setMissing(true);
      map.current = opened;
      opened.on("load", () => {
        addLayers(opened);
        setReady(true);
      });
      return undefined;
    }, () => setMissing(true));
    return () => {
      gone = true;
      map.current?.remove();
      map.current = null;
    };
  }, [look]);

  const feature = state.detail?.feature;
  useEffect(() => {
    if (!ready || !map.current) return;
    map.current.resize();
    map.current.getSource("case").setData(drawn(state.detail, state.cameras));
    if (feature) map.current.jumpTo({ center: feature.geometry.coordinates, zoom: Math.max(NEAR, map.current.getZoom()) });
  }, [ready, state.detail?.code, state.detail?.history.revision]);

  useEffect(() => {
    if (ready && map.current && state.cameras.length > 0) map.current.getSource("case").setData(drawn(state.detail, state.cameras));
  }, [ready, state.cameras]);

  return html`<section class="map-pane" aria-label=${t("map")}>
    ${missing ? html`<p class="notice wait">${t("map.missing")}</p>` : html`<div class="map" ref=${holder} data-ready=${String(ready)} key=${look}></div>`}
  </section>`;
}

/** The case, the places of its steps, and the cameras about it. */
function drawn(detail, cameras) {
  if (!detail) return { type: "FeatureCollection", features: [] };
  const point = (coordinates, properties) => ({ type: "Feature", geometry: { type: "Point", coordinates }, properties });
  const steps = detail.history.steps.filter(({ act, place }) => place && act !== "report").map(({ place, act }) => point(place, { kind: "step", text: t(`act.${act}`) }));
  const light = detail.feature.properties.light ?? "none";
  const watching = cameras.map(({ position, name, code, sees }) => point(position, { kind: "camera", sees: sees === true, text: name ?? code ?? "" }));
  return { type: "FeatureCollection", features: [...watching, ...steps, point(detail.feature.geometry.coordinates, { kind: "case", light })] };
}

function addLayers(map) {
  for (const layer of map.getStyle().layers) {
    if (layer.metadata?.["citymap:layer"] === "cases") map.setLayoutProperty(layer.id, "visibility", "visible");
  }
  const [paper, ink] = theme() === "dark" ? ["#0f161d", "#e7eef4"] : ["#ffffff", "#17222d"];
  map.addSource("case", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  map.addLayer({
    id: "case-ring", type: "circle", source: "case", filter: ["==", ["get", "kind"], "case"],
    paint: { "circle-radius": 20, "circle-color": colour(), "circle-opacity": 0.22, "circle-stroke-color": colour(), "circle-stroke-width": 2 },
  });
  map.addLayer({
    id: "case-point", type: "circle", source: "case",
    paint: { "circle-radius": ["match", ["get", "kind"], "case", 9, "camera", 5, 6], "circle-color": ["match", ["get", "kind"], "case", colour(), "camera", "#7a4fb5", "#0f6fb8"], "circle-stroke-color": paper, "circle-stroke-width": 2.5 },
  });
  map.addLayer({
    id: "case-step", type: "symbol", source: "case", filter: ["==", ["get", "kind"], "step"],
    layout: { "text-field": ["get", "text"], "text-font": ["CityMap Regular", "Noto Sans CJK SC"], "text-size": 12, "text-offset": [0, 1.2] },
    paint: { "text-color": ink, "text-halo-color": paper, "text-halo-width": 1.5 },
  });
  map.on("click", ({ point }) => {
    const around = [[point.x - 6, point.y - 6], [point.x + 6, point.y + 6]];
    const hit = map.queryRenderedFeatures(around).find((one) => one.layer.metadata?.["citymap:layer"] === "cases" && one.properties.code);
    if (hit) actions.open(hit.properties.code);
  });
}

const colour = () => ["match", ["get", "light"], ...Object.entries(COLOURS).flat(), COLOURS.none];
