/** Step 1: where. The pin stands in the middle of the map; moving the map moves the place. */

import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { run } from "../work/api.js";
import { icon } from "../work/icons.js";
import { circle, openMap } from "../work/map_view.js";
import { follow, inWords } from "./position.js";
import { actions, store } from "./state.js";

const CLOSE = 17.5;
const QUIET = 600;

export function Where({ state }) {
  const { report } = state;
  const holder = useRef(null);
  const map = useRef(null);
  const [fix, setFix] = useState(null);
  const [trouble, setTrouble] = useState(null);
  const [following, setFollowing] = useState(report.position?.source !== "map");
  const [mapless, setMapless] = useState(false);
  const [ready, setReady] = useState(false);
  const wanted = useRef(following);
  wanted.current = following;

  useEffect(() => follow((found) => {
    setFix(found);
    setTrouble(null);
    if (wanted.current) place({ lon: found.lon, lat: found.lat, accuracy: found.accuracy, source: "gps" });
  }, setTrouble), []);

  useEffect(() => {
    let gone = false;
    const at = store.get().report.position;
    openMap(holder.current, at ? { center: [at.lon, at.lat], zoom: CLOSE } : {}, t("where.map")).then((opened) => {
      if (gone) return opened?.remove();
      if (!opened) return setMapless(true);
      map.current = opened;
      prepare(opened);
    }, () => setMapless(true));
    return () => {
      gone = true;
      map.current?.remove();
    };
  }, []);

  useEffect(show, [fix, following, ready]);

  function show() {
    if (!fix || !ready) return;
    map.current.getSource("accuracy").setData(circle([fix.lon, fix.lat], fix.accuracy));
    if (following) map.current.jumpTo({ center: [fix.lon, fix.lat], zoom: Math.max(CLOSE, map.current.getZoom()) });
  }

  function prepare(opened) {
    opened.on("load", () => {
      opened.addSource("accuracy", { type: "geojson", tolerance: 0, data: { type: "FeatureCollection", features: [] } });
      opened.addLayer({ id: "accuracy", type: "fill", source: "accuracy", paint: { "fill-color": "#2f86d6", "fill-opacity": 0.16 } });
      opened.addLayer({ id: "accuracy-rim", type: "line", source: "accuracy", paint: { "line-color": "#2f86d6", "line-width": 1.5 } });
      setReady(true);
    });
    opened.on("moveend", (event) => {
      if (!event.originalEvent) return;
      const { lng, lat } = opened.getCenter();
      setFollowing(false);
      place({ lon: round(lng), lat: round(lat), accuracy: null, source: "map" });
    });
  }

  const again = () => {
    setFollowing(true);
    if (fix) place({ lon: fix.lon, lat: fix.lat, accuracy: fix.accuracy, source: "gps" });
  };
  return html`
    <section aria-labelledby="where-head">
      <h2 id="where-head">${t("where.head")}</h2>
      <div class="map-box" hidden=${mapless}>
        <div class="map" ref=${holder} data-ready=${String(ready)}></div>
        <div class="pin" aria-hidden="true">${icon("pin")}</div>
        <button type="button" class="button round locate" onClick=${again} aria-label=${t("where.again")} title=${t("where.again")}>${icon("target")}</button>
      </div>
      ${mapless && html`<p class="notice wait">${t("where.mapless")}</p>`}
      <${Said} report=${report} trouble=${trouble} following=${following} />
      <button type="button" class="button main wide" disabled=${!report.position} onClick=${() => actions.go(2)}>${t("next")}${icon("forward")}</button>
    </section>
  `;
}

/** What is known of the place, in words. */
function Said({ report, trouble, following }) {
  const { position } = report;
  const words = usePlace(position);
  if (!position) {
    return trouble
      ? html`<div class="notice bad" role="alert"><strong>${trouble}</strong><span>${t("gps.byHand")}</span></div>`
      : html`<p class="notice" role="status">${t("gps.waiting")}</p>`;
  }
  const told = position.source === "gps" ? inWords(position.accuracy) : null;
  return html`
    <div class=${`notice ${told?.grade ?? "good"}`} role="status" data-accuracy=${position.accuracy ?? ""}>
      <strong>${told ? told.said : t("where.byHand")}</strong>
      ${told && html`<span>${told.advice}</span>`}
      <span class="place">${icon("pin")}${words ?? `${position.lon.toFixed(5)}, ${position.lat.toFixed(5)}`}</span>
      ${trouble && following && html`<span class="small">${trouble}</span>`}
    </div>
  `;
}

/** The place in words, asked for when it has stood still for a moment. */
function usePlace(position) {
  const [words, setWords] = useState(store.get().report.place);
  const key = position ? `${position.lon.toFixed(5)} ${position.lat.toFixed(5)}` : "";
  useEffect(() => {
    if (!key) return undefined;
    const timer = setTimeout(async () => {
      const found = await run("locate-grid", { position: [position.lon, position.lat] }).catch(() => null);
      setWords(found?.place ?? null);
      actions.change({ place: found?.place ?? null });
    }, QUIET);
    return () => clearTimeout(timer);
  }, [key]);
  return words;
}

const place = (position) => actions.change({ position: { ...position, lon: round(position.lon), lat: round(position.lat) } });
const round = (degrees) => Math.round(degrees * 1e7) / 1e7;
