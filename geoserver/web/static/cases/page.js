/** The inbox: bar, list, the open case, the map, and the dialogs over them. */

import { useEffect } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { useStore } from "../map/store.js";
import { Bar, Ended, Nobody } from "../work/frame.js";
import { icon } from "../work/icons.js";
import { ActDialog } from "./act_dialog.js";
import { CaseMap } from "./case_map.js";
import { Detail } from "./detail.js";
import { Help, PhotoDialog } from "./dialogs.js";
import { List } from "./list.js";
import { actions, store } from "./state.js";

export function Page() {
  const state = useStore(store);
  useEffect(() => {
    const waiting = state.tab === "waiting" ? state.total : 0;
    document.title = `${waiting > 0 ? `(${waiting}) ` : ""}${t("page.title")}`;
  }, [state.tab, state.total]);
  return html`
    <${Top} state=${state} />
    <div class="notes" aria-live="polite">
      ${state.offline && html`<p class="notice wait">${t("offline")}</p>`}
      ${state.ended && html`<${Ended} onBack=${actions.comeBack} />`}
      ${state.message && html`<p class="notice good said">${icon("check")}${state.message}</p>`}
    </div>
    ${state.phase === "nobody" ? html`<${Nobody} title=${t("nobody.title")} text=${t("nobody.text")} />` : html`
      <main class=${`desk ${state.current ? "open" : ""}`} id="content">
        <${List} state=${state} />
        <${Detail} state=${state} />
        <${CaseMap} state=${state} />
      </main>`}
    ${state.form && html`<${ActDialog} state=${state} key=${state.form.key} />`}
    ${state.help && html`<${Help} />`}
    ${state.photo && html`<${PhotoDialog} photo=${state.photo} />`}
  `;
}

function Top({ state }) {
  return html`
    <${Bar} account=${state.account} links=${[["map", t("pages.map")], ["report", t("pages.report")]]} onTheme=${(theme) => store.set({ theme })}>
      <button type="button" class="bar-link wide-only" onClick=${() => actions.help(true)} aria-label=${t("help.title")} title=${t("help.title")}>${icon("keyboard")}</button>
    <//>
  `;
}
