/** The planning page: its bar, its tabs with their panels, the map, and the dialogs over them. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { useStore } from "../map/store.js";
import { Bar, Ended } from "../work/frame.js";
import { icon } from "../work/icons.js";
import { ApplyDialog } from "./apply_dialog.js";
import { DraftPanel } from "./draft_panel.js";
import { LinesPanel } from "./lines_panel.js";
import { NoticesPanel } from "./notices_panel.js";
import { openTab } from "./permalink.js";
import { PlanMap } from "./plan_map.js";
import { PlansPanel } from "./plans_panel.js";
import { SchemePanel } from "./scheme_panel.js";
import { SitingPanel } from "./siting_panel.js";
import { comeBack, set, store, tabsOf } from "./state.js";
import { StepDialog } from "./step_dialog.js";

const PANELS = { lines: LinesPanel, draft: DraftPanel, scheme: SchemePanel, siting: SitingPanel, plans: PlansPanel, notices: NoticesPanel };

export function Page() {
  const state = useStore(store);
  const Panel = PANELS[state.tab];
  return html`
    <${Bar} account=${state.account} links=${[["map", t("pages.map")], ["cases", t("pages.cases")], ["board", t("pages.board")]]} onTheme=${(theme) => set({ theme })} />
    <div class="notes" aria-live="polite">
      ${state.offline && html`<p class="notice wait">${t("offline")}</p>`}
      ${state.ended && html`<${Ended} onBack=${comeBack} />`}
      ${state.message && html`<p class="notice good said">${icon("check")}${state.message}</p>`}
    </div>
    <main class="desk" id="content">
      <div class="side">
        <div class="tabs" role="tablist" aria-label=${t("tabs")} onKeyDown=${(event) => moveTab(event, state)}>
          ${tabsOf(state).map((tab) => html`<button type="button" key=${tab} role="tab" id=${`tab-${tab}`} data-tab=${tab} aria-selected=${String(tab === state.tab)} aria-controls="panel"
            tabindex=${tab === state.tab ? 0 : -1} onClick=${() => openTab(tab)}>${t(`tab.${tab}`)}</button>`)}
        </div>
        <div class="panel" role="tabpanel" id="panel" aria-labelledby=${`tab-${state.tab}`} tabindex="0" key=${state.tab}><${Panel} state=${state} /></div>
      </div>
      <${PlanMap} state=${state} />
    </main>
    ${state.act && html`<${StepDialog} state=${state} key=${state.act.key} />`}
    ${state.applying && html`<${ApplyDialog} state=${state} />`}
  `;
}

/** Arrows move among the tabs, as the pattern of the ARIA guide has it. */
function moveTab(event, state) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tabs = tabsOf(state);
  const next = tabs[(tabs.indexOf(state.tab) + step + tabs.length) % tabs.length];
  openTab(next);
  requestAnimationFrame(() => document.getElementById(`tab-${next}`)?.focus());
}
