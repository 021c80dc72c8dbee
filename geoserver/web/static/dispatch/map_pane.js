/** The map with its vehicles: what the page knows is drawn here, and clicks are told to whoever asked for them. */

import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { openMap } from "../work/map_view.js";
import { lonOf, latOf } from "./fleet.js";
import { setCentre, shapeOf } from "./fences.js";
import { addLayers, feature, point, show, TRACK_COLOURS } from "./map_layers.js";
import { Overlay } from "./overlay.js";
import { keep, linkedView } from "./permalink.js";
import { clock, ghosts } from "./replay.js";
import { sendTo } from "./send.js";
import { useSketch } from "./sketching.js";
import { fleet, get, reducedMotion, set, store } from "./store.js";
import { choose } from "./unit.js";
import { age } from "./words.js";

/** Level at which one vehicle is looked at, and a cluster is opened by. */
const [NEAR, OPENED] = [15, 2];
const glide = () => (reducedMotion.matches ? 0 : 700);
export const here = { map: null };

/** What the overlay draws: the live fleet, or the vehicles of the replay in its place. */
function scene() {
  const { replay, chosen, trails } = get();
  const playing = Boolean(replay?.data);
  const drawn = playing ? ghosts : fleet;
  const now = performance.now();
  return { fleet: drawn, now, look: { chosen: chosen ? drawn.at(chosen) : undefined, trails: trails && !playing, apart: playing, ageOf: (row) => age(row.time) } };
}

export function MapPane({ state }) {
  const holder = useRef(null);
  const [opened, setOpened] = useState(null);
  const [missing, setMissing] = useState(false);

  useEffect(() => {
    let gone = false;
    let made = null;
    let overlay = null;
    const view = here.map ? { zoom: here.map.getZoom(), center: here.map.getCenter() } : linkedView();
    openMap(holder.current, view ?? {}, t("map.label")).then((map) => {
      if (gone || !map) return gone ? map?.remove() : setMissing(true);
      made = here.map = map;
      // Vehicles are there before the last tile of the ground is.
      map.once("style.load", () => {
        if (gone) return;
        addLayers(map, state.theme);
        overlay = new Overlay(map, scene, state.theme);
        wire(map, overlay);
        setOpened({ map, overlay });
      });
      return undefined;
    }, () => setMissing(true));
    return () => {
      gone = true;
      setOpened(null);
      overlay?.close();
      made?.remove();
    };
  }, [state.theme]);

  useDrawn(opened, state);
  useSketch(opened?.map, state.fence);
  return html`<section class="map-pane" aria-label=${t("map")}>
    ${missing ? html`<p class="notice wait">${t("map.missing")}</p>` : html`<div class="map" ref=${holder} key=${state.theme} data-ready=${String(Boolean(opened))}></div>`}
    ${state.picking && html`<p class="notice wait pick" role="status">${t(`pick.${state.picking}`)} <button type="button" class="button" onClick=${() => set({ picking: null })}>${t("cancel")}</button>
      <button type="button" class="button" onClick=${() => picked(here.map.getCenter())}>${t("pick.middle")}</button></p>`}
  </section>`;
}

function picked({ lng, lat }) {
  const place = [Number(lng.toFixed(7)), Number(lat.toFixed(7))];
  if (get().picking === "centre") return setCentre(place);
  return sendTo(place);
}

function wire(map, overlay) {
  map.on("click", (event) => {
    if (get().picking) return picked(event.lngLat);
    if (get().fence) return undefined;
    const hit = overlay.hit(event.point);
    if (!hit) return undefined;
    if (hit.n === undefined) return map.easeTo({ center: [lonOf(hit.x), latOf(hit.y)], zoom: map.getZoom() + OPENED, duration: glide() });
    return choose(scene().fleet.rows[hit.n].device, false);
  });
  map.on("mousemove", (event) => {
    const at = get().picking ? "crosshair" : overlay.hit(event.point) ? "pointer" : "";
    if (map.getCanvas().style.cursor !== at) map.getCanvas().style.cursor = at;
  });
  map.on("dragstart", () => get().following && set({ following: false }));
  map.on("moveend", () => keep(get(), { zoom: map.getZoom(), ...map.getCenter() }));
  const ends = [store, clock].map((one) => one.subscribe(() => overlay.refresh()));
  overlay.ended = () => ends.forEach((end) => end());
}

/** Keep on the map what the page knows. */
function useDrawn(opened, state) {
  const { send, tasks, fences, fence, replay, ground, chosen, panel } = state;
  const on = (effect, inputs) => useEffect(() => (opened ? effect(opened.map) : undefined), [opened, ...inputs]);
  on((map) => show(map, "fences", (fences ?? []).filter(({ id }) => id !== fence?.id).map((one) => feature(one.geometry, { name: one.properties.name ?? "", enabled: one.properties.enabled !== false }))), [fences, fence?.id]);
  on((map) => show(map, "draft", fence?.kind === "Circle" && shapeOf(fence) ? [feature(shapeOf(fence))] : []), [fence?.centre, fence?.radius, fence?.kind]);
  on((map) => show(map, "ways", ways(state)), [send.found, send.unit, tasks, panel, chosen, state.followed]);
  on((map) => show(map, "places", places(state)), [send.point, panel, replay?.events, state.alarmed]);
  on((map) => show(map, "tracks", tracks(replay?.data)), [replay?.data]);
  on((map) => show(map, "heat", heat(ground.heat)), [ground.heat]);
  on((map) => show(map, "missed", ground.coverage?.missed.features ?? []), [ground.coverage]);
  on((map) => fitTo(map, replay?.data), [replay?.data]);
  on((map) => reach(map, send), [send.found]);
  on((map) => go(map, state.goTo), [state.goTo, state.told > 0]);
  on((map) => {
    const n = state.following ? fleet.at(chosen) : undefined;
    if (n !== undefined && !Number.isNaN(fleet.toX[n])) map.easeTo({ center: [lonOf(fleet.toX[n]), latOf(fleet.toY[n])], duration: reducedMotion.matches ? 0 : 900, easing: (part) => part });
  }, [state.following, state.told]);
}

function ways({ send, tasks, panel, chosen, followed }) {
  if (panel === "send") {
    const units = [...(send.found?.units ?? [])].sort((a, b) => Number(a.device === send.unit) - Number(b.device === send.unit));
    return units.map((unit) => feature(unit.route, { chosen: unit.device === send.unit }));
  }
  return (tasks ?? []).filter(({ line }) => line.length > 1).map((task) => feature({ type: "LineString", coordinates: task.line }, { chosen: task.code === followed || task.device === chosen }));
}

function places({ send, panel, replay, alarmed }) {
  const found = [];
  if (panel === "send" && send.point) found.push(point(send.point, { kind: "target" }));
  for (const { kind, place } of replay?.events ?? []) if (place) found.push(point(place, { kind }));
  if (alarmed) found.push(point(alarmed, { kind: "alarm" }));
  return found;
}

/** Lines of the tracks, parted where nothing is known. */
function tracks(data) {
  return (data?.tracks ?? []).flatMap(({ lon, lat }, n) => {
    const parts = [[]];
    lon.forEach((x, k) => (x === null ? parts.at(-1).length && parts.push([]) : parts.at(-1).push([x, lat[k]])));
    const coordinates = parts.filter((part) => part.length > 1);
    return coordinates.length ? [feature({ type: "MultiLineString", coordinates }, { colour: TRACK_COLOURS[n % TRACK_COLOURS.length] })] : [];
  });
}

function heat(found) {
  const most = Math.max(1, ...(found?.features ?? []).map(({ properties }) => Math.log1p(properties.fixes)));
  return (found?.features ?? []).map((one) => feature(one.geometry, { share: Math.log1p(one.properties.fixes) / most }));
}

function boxOf(points) {
  if (points.length === 0) return null;
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  }
  return box;
}

const fit = (map, points) => {
  const box = boxOf(points);
  if (box) map.fitBounds(box, { padding: { top: 60, left: 60, right: 60, bottom: 60 }, maxZoom: 17, duration: glide() });
};
const fitTo = (map, data) => data && fit(map, data.tracks.flatMap(({ lon, lat }) => lon.map((x, n) => [x, lat[n]]).filter(([x]) => x !== null)));
const reach = (map, { found }) => found && fit(map, [found.point, ...found.units.slice(0, 3).flatMap(({ route }) => route.coordinates)]);

/** Go where somebody looks: a vehicle, once it is there, or a place. */
function go(map, goTo) {
  if (!goTo) return;
  const n = goTo.code ? fleet.at(goTo.code) : undefined;
  if (goTo.code && (n === undefined || Number.isNaN(fleet.toX[n]))) return;
  const center = goTo.code ? [lonOf(fleet.toX[n]), latOf(fleet.toY[n])] : goTo.place;
  map.easeTo({ center, zoom: Math.max(NEAR, map.getZoom()), duration: glide() });
  set({ goTo: null });
}
