/** The dispatcher's desk: bar, vehicles, map, and the panel of what is to be done. */

import { useEffect } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { useStore } from "../map/store.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { AlarmPanel } from "./alarm_panel.js";
import { Bar, Ended, Nobody } from "./bar.js";
import { FencePanel } from "./fence_panel.js";
import { GroundPanel } from "./ground_panel.js";
import { List } from "./list.js";
import { MapPane } from "./map_pane.js";
import { keep } from "./permalink.js";
import { Player } from "./player.js";
import { ReplayPanel } from "./replay_panel.js";
import { SendPanel } from "./send_panel.js";
import { begin } from "./state.js";
import { PANELS, set, store } from "./store.js";
import { TaskPanel } from "./task_panel.js";
import { UnitPanel } from "./unit_panel.js";

const BODIES = { alarms: AlarmPanel, send: SendPanel, tasks: TaskPanel, fences: FencePanel, replay: ReplayPanel, ground: GroundPanel };
const ICONS = { alarms: "alert", send: "send", tasks: "flag", fences: "box", replay: "clock", ground: "target" };

export function Page() {
  const state = useStore(store);
  const waiting = (state.alarms ?? []).filter((alarm) => alarm.state === "new").length;
  useEffect(() => {
    document.title = `${waiting > 0 ? `(${waiting}) ` : ""}${t("page.title")}`;
  }, [waiting]);
  useEffect(() => keep(state, null), [state.chosen, state.panel, state.find, state.replay?.data]);
  return html`
    <${Bar} state=${state} />
    <div class="notes" aria-live="polite">
      ${state.offline && html`<p class="notice wait">${t("offline")}</p>`}
      ${state.phase === "ready" && !state.offline && state.link === "lost" && !state.ended && html`<p class="notice wait">${t("link.lost")}</p>`}
      ${state.ended && html`<${Ended} />`}
      ${state.message && html`<p class="notice good said">${icon("check")}${state.message}</p>`}
    </div>
    <${Body} state=${state} waiting=${waiting} />
  `;
}

function Body({ state, waiting }) {
  if (state.phase === "nobody") return html`<${Nobody} />`;
  if (state.phase === "denied") return html`<main class="nobody"><div class="empty">${icon("person")}<h2>${t("denied.title")}</h2><p>${t("denied.text")}</p></div></main>`;
  if (state.phase === "failed") return html`<main class="nobody"><${Trouble} error=${state.trouble} onRetry=${begin} /></main>`;
  return html`
    <main class=${`desk show-${state.open}`} id="content">
      <${List} state=${state} />
      <div class="middle"><${MapPane} state=${state} />${state.replay?.data && html`<${Player} state=${state} />`}</div>
      <${Side} state=${state} waiting=${waiting} />
      <nav class="sheets" aria-label=${t("sheets")}>${["list", "map", "panel"].map((one) => html`<button type="button" aria-pressed=${String(state.open === one)} onClick=${() => set({ open: one })}>${icon({ list: "list", map: "pin", panel: "alert" }[one])}${t(`sheet.${one}`)}</button>`)}</nav>
    </main>
  `;
}

/** The panels as tabs; a chosen vehicle stands above them. */
function Side({ state, waiting }) {
  const numbers = { alarms: waiting, tasks: state.tasks?.length ?? 0 };
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = PANELS[(PANELS.indexOf(state.panel) + step + PANELS.length) % PANELS.length];
    set({ panel: next, unitOpen: false });
    document.getElementById(`tab-${next}`)?.focus();
  };
  return html`
    <aside class="side" aria-label=${t("panels")}>
      ${state.chosen && html`<${UnitPanel} state=${state} key=${state.chosen} />`}
      <div class="tabs" role="tablist" aria-label=${t("panels")} onKeyDown=${move}>
        ${PANELS.map((name) => html`<button type="button" role="tab" id=${`tab-${name}`} aria-selected=${String(state.panel === name)} aria-controls="panel" tabindex=${state.panel === name ? 0 : -1} onClick=${() => set({ panel: name, unitOpen: false })}>
          ${icon(ICONS[name])}<span>${t(`panel.${name}`)}</span>${numbers[name] > 0 && html`<b class=${name === "alarms" ? "badge bad" : "badge"}>${numbers[name]}</b>`}</button>`)}
      </div>
      <div class="panel" role="tabpanel" id="panel" aria-labelledby=${`tab-${state.panel}`} tabindex="0"><${BODIES[state.panel]} state=${state} /></div>
    </aside>
  `;
}
