/** The map of the planning page: the plan, what is at hand, and what was found of it. */

import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { openMap } from "../work/map_view.js";
import { drawn } from "./drawn.js";
import { useMap } from "./drawing.js";
import { openLine } from "./lines.js";
import { addLayers, PLAN, showPlan } from "./map_layers.js";
import { openNotice } from "./notices.js";
import { pickSite } from "./siting.js";
import { get, set } from "./state.js";

const PADDING = 60;

export function PlanMap({ state }) {
  const holder = useRef(null);
  const map = useRef(null);
  const [ready, setReady] = useState(false);
  const [missing, setMissing] = useState(false);

  useEffect(() => {
    let gone = false;
    setReady(false);
    openMap(holder.current, map.at ?? {}, t("map.label")).then((opened) => {
      if (gone) return opened?.remove();
      if (!opened) return setMissing(true);
      map.current = opened;
      opened.on("load", () => {
        addLayers(opened);
        opened.on("resize", () => fit(opened, get().focus));
        opened.on("click", picked(opened));
        useMap(opened);
        setReady(true);
      });
      return undefined;
    }, () => setMissing(true));
    return () => {
      gone = true;
      useMap(null);
      const old = map.current;
      if (old) map.at = { center: old.getCenter().toArray(), zoom: old.getZoom() };
      old?.remove();
      map.current = null;
    };
  }, [state.theme]);

  useEffect(() => { if (ready) map.current.getSource("plan-work").setData(drawn(state)); });
  useEffect(() => { if (ready) showPlan(map.current, state.shown); }, [ready, state.shown]);
  useEffect(() => {
    if (ready) fit(map.current, state.focus);
  }, [ready, state.focus?.turn]);

  return html`<section class="map-pane" aria-label=${t("map")}>
    ${missing ? html`<p class="notice wait">${t("map.missing")}</p>` : html`
      <div class="map" ref=${holder} data-ready=${String(ready)} key=${state.theme}></div>
      <${Switches} state=${state} />`}
  </section>`;
}

/** Which layers of the plan lie under what is at hand. */
function Switches({ state }) {
  const layers = PLAN.filter((id) => state.names[id] && (state.account || id !== "redlines"));
  const toggle = (id) => set({ shown: state.shown.includes(id) ? state.shown.filter((one) => one !== id) : [...state.shown, id] });
  return html`<details class="switches" open=${matchMedia("(min-width: 901px)").matches}><summary>${t("map.layers")}</summary>
    ${layers.map((id) => html`<label class="tick" key=${id}><input type="checkbox" checked=${state.shown.includes(id)} onChange=${() => toggle(id)} />${state.names[id].title}</label>`)}</details>`;
}

/** A click on a piece, a line, a notice or a candidate chooses it in the list too. */
function picked(map) {
  return ({ point }) => {
    if (get().sketch) return;
    const around = [[point.x - 4, point.y - 4], [point.x + 4, point.y + 4]];
    const layers = ["work-piece", "work-piece-edge", "work-area"].filter((id) => map.getLayer(id));
    const hit = map.queryRenderedFeatures(around, { layers }).find(({ properties }) => properties.key !== undefined);
    if (!hit) return;
    const { kind, key } = hit.properties;
    if (kind === "piece") set({ picked: Number(key) });
    if (kind === "line") openLine(key);
    if (kind === "notice") openNotice(key);
    if (kind === "candidate") pickSite(Number(key));
    if (kind === "piece") document.querySelector(`[data-conflict="${key}"]`)?.scrollIntoView({ block: "nearest" });
  };
}

function fit(map, focus) {
  const box = focus ? boxOf(focus.geometries) : null;
  const { clientWidth, clientHeight } = map.getContainer();
  if (!box) return;
  const edge = Math.min(PADDING, clientWidth / 6, clientHeight / 6);
  // What floats over the map on the right hides no corner of what is looked at.
  const beside = map.getContainer().parentElement.querySelector(".switches")?.offsetWidth ?? 0;
  const right = clientWidth > 2 * (beside + edge) ? Math.max(edge, beside + edge / 2) : edge;
  map.fitBounds(box, { padding: { top: edge, bottom: edge, left: edge, right }, maxZoom: 19.5, duration: 0 });
}

function boxOf(geometries) {
  const positions = geometries.flatMap(({ coordinates }) => flat(coordinates));
  if (positions.length === 0) return null;
  const range = (axis) => positions.reduce(([low, high], position) => [Math.min(low, position[axis]), Math.max(high, position[axis])], [Infinity, -Infinity]);
  const [[west, east], [south, north]] = [range(0), range(1)];
  return [west, south, east, north];
}

const flat = (coordinates) => (typeof coordinates[0] === "number" ? [coordinates] : coordinates.flatMap(flat));
