/** The pages of administration in one frame: the navigation names those that the reader may open. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { useStore } from "../map/store.js";
import { base } from "../work/api.js";
import { Bar, Ended, Nobody } from "../work/frame.js";
import { icon } from "../work/icons.js";
import { HealthPart } from "./health_part.js";
import { JobsPart } from "./jobs_part.js";
import { LayersPart } from "./layers_part.js";
import { Skeleton } from "./loading.js";
import { LogPart } from "./log_part.js";
import { RulesPart } from "./rules_part.js";
import { comeBack, hrefOf, partsOf, set, store } from "./state.js";
import { TerminalsPart } from "./terminals_part.js";

const SHOWN = { layers: LayersPart, rules: RulesPart, terminals: TerminalsPart, jobs: JobsPart, health: HealthPart, log: LogPart };

export function Page() {
  const state = useStore(store);
  return html`
    <${Bar} account=${state.account} links=${[["map", t("pages.map")], ["planning", t("pages.planning")], ["cases", t("pages.cases")]]} onTheme=${(theme) => set({ theme })} />
    <div class="notes" aria-live="polite">
      ${state.offline && html`<p class="notice wait">${t("offline")}</p>`}
      ${state.ended && html`<${Ended} onBack=${comeBack} />`}
      ${state.message && html`<p class="notice good said">${icon("check")}${state.message}</p>`}
    </div>
    ${state.account ? html`<div class="office"><${Parts} state=${state} /><main class="part" id="content">${state.phase === "loading" ? html`<${Skeleton} />` : html`<${Part} state=${state} />`}</main></div>`
      : html`<${Nobody} title=${t("nobody.title")} text=${t("nobody.text")} />`}
  `;
}

function Parts({ state }) {
  const people = state.offices.length > 0;
  return html`<nav class="parts" aria-label=${t("parts")}><ul>
    ${partsOf(state).map((part) => html`<li key=${part}><a href=${hrefOf(part)} aria-current=${part === state.part ? "page" : undefined}>${t(`part.${part}`)}</a></li>`)}
    ${people && html`<li><a href=${new URL("admin", base).href}>${t("part.people")}</a></li>`}
  </ul></nav>`;
}

function Part({ state }) {
  if (!partsOf(state).includes(state.part)) return html`<div class="empty">${icon("stop")}<h2>${t("refused.title")}</h2><p>${t("refused.text")}</p></div>`;
  const Shown = SHOWN[state.part];
  return html`<h2 class="part-title">${t(`part.${state.part}`)}</h2><${Shown} state=${state} />`;
}
