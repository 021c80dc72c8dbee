/** How the installation does: readiness, database, queue, disks, tile cache, outbound calls. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { ask } from "../work/api.js";
import { icon } from "../work/icons.js";
import { ReadState, useRead } from "./loading.js";
import { count, size, span, when } from "./words.js";

async function readState() {
  const [state, ready] = await Promise.all([ask("GET", "admin/state"), ask("GET", "ready").then(() => true, () => false)]);
  return { ...state, ready };
}

export function HealthPart() {
  const found = useRead(readState);
  return html`
    <div class="row"><button type="button" class="button" disabled=${found.busy} onClick=${found.again}>${icon("refresh")}${t("health.again")}</button>${found.value && html`<span class="soft small" role="status">${t("health.at", { at: when(found.value.at) })}</span>`}</div>
    <${ReadState} found=${found} />
    ${found.value && html`<${Found} state=${found.value} />`}
  `;
}

function Found({ state }) {
  const { database, jobs, disks, tiles, outbound } = state;
  const waiting = jobs.find(({ status }) => status === "accepted");
  const full = database.connections > database.most_connections * 0.9;
  return html`<div class="tiles">
    <${Tile} title=${t("health.ready")} good=${state.ready} said=${t(state.ready ? "health.ready.yes" : "health.ready.no")}><p>${t("health.layers", { n: count(state.layers) })}</p><//>
    <${Tile} title=${t("health.database")} good=${!full} said=${t(full ? "health.full" : "health.good")}>
      <dl><div><dt>PostgreSQL</dt><dd>${database.version}</dd></div><div><dt>${t("health.size")}</dt><dd>${size(database.bytes)}</dd></div><div><dt>${t("health.connections")}</dt><dd>${database.connections} / ${database.most_connections}</dd></div><div><dt>${t("health.up")}</dt><dd>${span(database.seconds_up)}</dd></div></dl><//>
    <${Tile} title=${t("health.queue")} good=${!waiting || waiting.oldest_seconds < 600} said=${waiting ? t("health.waiting", { n: waiting.count, span: span(waiting.oldest_seconds) }) : t("health.idle")}>
      <dl>${jobs.map(({ status, count: n }) => html`<div key=${status}><dt>${t(`jobs.${status}`)}</dt><dd>${count(n)}</dd></div>`)}</dl><//>
    ${disks.map((one) => html`<${Tile} key=${one.name} title=${t("health.disk", { name: t(`disk.${one.name}`) })} good=${!one.low} said=${t(one.low ? "health.low" : "health.good")}>
      <meter min="0" max=${one.total} value=${one.total - one.free} aria-label=${t("health.used")}></meter><p>${t("health.free", { free: size(one.free), total: size(one.total) })}</p><p class="small soft">${one.folder}</p><//>`)}
    <${Tile} title=${t("health.tiles")} good=${true} said=${t("health.good")}><p>${t("health.tiles.limit", { size: size(tiles.limit_bytes) })}</p><//>
    <${Tile} title=${t("health.outbound")} good=${true} said=${t(outbound.hosts.length ? "health.outbound.some" : "health.outbound.none")}><ul class="plain">${outbound.hosts.map((host) => html`<li key=${host}>${host}</li>`)}</ul><//>
  </div>`;
}

const Tile = ({ title, good, said, children }) => html`<section class="card" data-good=${String(Boolean(good))}><h3>${title}</h3><span class=${`chip ${good ? "good" : "bad"}`}>${icon(good ? "check" : "alert")}${said}</span>${children}</section>`;
