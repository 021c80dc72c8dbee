/** The player below the map: play, rate, time, and the graph of speeds. */

import { useEffect, useRef } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { useStore } from "../map/store.js";
import { icon } from "../work/icons.js";
import { TRACK_COLOURS } from "./map_layers.js";
import { clock, closeReplay, RATES, seek, setRate, speedsAt, toggle } from "./replay.js";
import { drawGraph } from "./speed_graph.js";
import { moment, speed } from "./words.js";

export function Player({ state }) {
  const { replay } = state;
  return html`
    <section class="player" aria-label=${t("player")} data-playing=${String(replay.playing)}>
      <div class="player-row">
        <button type="button" class="button main round" data-act="play" onClick=${toggle} aria-label=${t(replay.playing ? "player.pause" : "player.play")} title=${t(replay.playing ? "player.pause" : "player.play")}>${icon(replay.playing ? "pause" : "play")}</button>
        <label class="rate"><span class="hidden-text">${t("player.rate")}</span><select value=${replay.rate} onChange=${(event) => setRate(Number(event.target.value))}>${RATES.map((one) => html`<option value=${one}>${one}×</option>`)}</select></label>
        <${Clock} replay=${replay} />
        <button type="button" class="button quiet round" data-act="close-replay" onClick=${closeReplay} aria-label=${t("player.live")} title=${t("player.live")}>${icon("close")}</button>
      </div>
      <${Graph} replay=${replay} theme=${state.theme} />
    </section>
  `;
}

/** The time, the scrubber, and how fast each vehicle was then: all that changes with every frame. */
function Clock({ replay }) {
  const { at } = useStore(clock);
  return html`
    <time class="player-time" datetime=${new Date(at).toISOString()}>${moment(at)}</time>
    <input class="scrub" type="range" min=${replay.begin} max=${replay.end} step="1000" value=${at} aria-label=${t("player.scrub")} aria-valuetext=${moment(at)} onInput=${(event) => seek(Number(event.target.value))} />
    <ul class="player-speeds">${speedsAt(replay.data, at).map((one, n) => html`<li key=${one.device}><i style=${{ background: TRACK_COLOURS[n % TRACK_COLOURS.length] }} aria-hidden="true"></i>${one.name} <b>${one.known ? speed(one.speed) : t("player.unknown")}</b></li>`)}</ul>
  `;
}

function Graph({ replay, theme }) {
  const place = useRef(null);
  useEffect(() => drawGraph(place, replay), [replay.data, theme]);
  return html`<div class="graph" ref=${place} role="img" aria-label=${t("player.graph")}></div>`;
}
