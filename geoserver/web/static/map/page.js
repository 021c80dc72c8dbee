/** The page around the map. */

import { EditPanel } from "./edit/edit_panel.js";
import { html, icon, iconButton } from "./html.js";
import { base } from "./api.js";
import { language, t } from "./i18n.js";
import { LayersPanel } from "./layers_panel.js";
import { MeasurePanel } from "./measure_panel.js";
import { PrintPanel, Sheet } from "./print/print_panel.js";
import { ResultsPanel, Trouble } from "./results_panel.js";
import { ScenePanel } from "./scene/scene_panel.js";
import { SearchBox } from "./search_box.js";
import { useStore } from "./store.js";
import { TablePanel } from "./table/table_panel.js";
import { Divider, TimePanel, momentText } from "./time/time_panel.js";

export function Page({ store, actions, camera }) {
  const state = useStore(store);
  if (state.phase === "failed") return html`<div class="centre"><div class="card lone"><${Trouble} error=${state.error} onRetry=${() => location.reload()} /></div></div>`;
  if (state.phase !== "ready") return null;
  return html`
    ${state.beside && html`<${Divider} state=${state} actions=${actions} />`}
    <div class="side">
      <header class="top">
        <a class="brand" href=${base.href} title=${t("home")}>
          <img src=${new URL("favicon.svg", base).href} alt="" width="28" height="28" /><h1>${t("page.name")}</h1>
        </a>
        <${SearchBox} layers=${state.layers} actions=${actions} />
      </header>
      ${state.measure && html`<${MeasurePanel} measure=${state.measure} actions=${actions} />`}
      ${state.time && html`<${TimePanel} state=${state} actions=${actions} />`}
      ${state.printing && html`<${PrintPanel} layers=${state.layers} actions=${actions} />`}
      ${state.edit && html`<${EditPanel} edit=${state.edit} layers=${state.layers} actions=${actions} />`}
      ${state.results && !state.measure && !state.edit && html`<${ResultsPanel} results=${state.results} selected=${state.selected} layers=${state.layers} changes=${state.changes} asOf=${state.asOf} actions=${actions} />`}
    </div>
    <div class="edge">
      <${Tools} state=${state} actions=${actions} />
      ${state.panel && html`<${LayersPanel} layers=${state.layers} actions=${actions} onClose=${actions.togglePanel} />`}
    </div>
    ${state.table && html`<${TablePanel} state=${state} actions=${actions} />`}
    ${state.scene && html`<${ScenePanel} scene=${state.scene} layers=${state.layers} camera=${camera} actions=${actions} />`}
    ${state.sheet && html`<${Sheet} state=${state} actions=${actions} />`}
    <${Notices} state=${state} actions=${actions} />
    ${state.busy && html`<div class="progress" role="status" aria-label=${t("loading")}></div>`}
  `;
}

/** The tools; those that work on the flat map are not there while the full 3D view lies over it. */
function Tools({ state, actions }) {
  const flat = !state.scene;
  const other = language === "en" ? ["zh-CN", "中"] : ["en", "EN"];
  const dark = state.theme === "dark";
  return html`
    <nav class="tools card" aria-label=${t("tools")}>
      ${iconButton({ name: "layers", label: t("layers.title"), onClick: actions.togglePanel, expanded: state.panel, controls: "layers-panel" })}
      ${flat && iconButton({ name: "ruler", label: t("measure.title"), pressed: Boolean(state.measure),
        onClick: () => (state.measure ? actions.closeMeasure() : actions.startMeasure()) })}
      ${flat && iconButton({ name: "clock", label: t("time.title"), pressed: Boolean(state.time), onClick: actions.toggleTime })}
      ${flat && iconButton({ name: "cube", label: t("tools.3d"), onClick: actions.toggleThreeD, pressed: state.threeD })}
      ${iconButton({ name: "globe", label: t(flat ? "scene.title" : "scene.flat"), onClick: actions.toggleScene, pressed: !flat })}
      ${iconButton({ name: dark ? "sun" : "moon", label: t(dark ? "tools.light" : "tools.dark"), onClick: actions.toggleTheme })}
      ${flat && iconButton({ name: "print", label: t("print.title"), pressed: Boolean(state.printing), onClick: actions.togglePrint })}
      ${iconButton({ name: "link", label: t("tools.link"), onClick: actions.copyLink })}
      <button type="button" class="tool" lang=${other[0]} title=${t("tools.language")} aria-label=${t("tools.language")}
        onClick=${() => actions.changeLanguage(other[0])}>${other[1]}</button>
      <${Person} />
    </nav>
  `;
}

/** Who reads the map; signing in comes back to this very view. */
function Person() {
  const { account } = document.documentElement.dataset;
  const label = account ? t("tools.account", { account }) : t("tools.signIn");
  const target = (event) => {
    if (!account) event.currentTarget.search = new URLSearchParams({ next: location.pathname + location.search + location.hash });
  };
  return html`
    <a class=${account ? "tool signed" : "tool"} href=${new URL(account ? "account" : "sign-in", base).href} title=${label} aria-label=${label} onClick=${target}>
      ${account ? [...account][0].toUpperCase() : icon("person")}
    </a>
  `;
}

function Notices({ state, actions }) {
  return html`
    <div class="notices" aria-live="polite">
      ${state.offline && html`<p class="notice card warn">${t("notice.offline")}</p>`}
      ${state.asOf && !state.beside && html`<p class="notice card warn">${icon("clock")}${t("time.badge", { when: momentText(state.asOf, state.versions) })}
        <button type="button" class="ghost" onClick=${() => actions.setInstant(null)}>${t("time.back")}</button></p>`}
      ${state.empty && html`<p class="notice card">${icon("layers")}${t("notice.empty")}</p>`}
      ${state.tileError && html`
        <div class="notice card warn">
          <span>${t("notice.tiles", { cause: state.tileError })}</span>
          <button type="button" class="ghost" onClick=${actions.retryTiles}>${t("retry")}</button>
        </div>
      `}
      ${state.message && html`<p class="notice card">${state.message}</p>`}
    </div>
  `;
}
