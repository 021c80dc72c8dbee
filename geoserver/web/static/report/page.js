/** The report page: bar, tabs, and what is shown in them. */

import { html } from "../map/html.js";
import { language, t } from "../map/i18n.js";
import { useStore } from "../map/store.js";
import { base } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { Mine } from "./mine_panel.js";
import { Outbox } from "./outbox_panel.js";
import { UNSENT, begun } from "./outbox.js";
import { Patrol } from "./patrol_panel.js";
import { Result } from "./result.js";
import { actions, store } from "./state.js";
import { What } from "./what.js";
import { Where } from "./where.js";
import { Send } from "./send.js";

const TABS = [["report", "edit"], ["outbox", "box"], ["mine", "list"], ["patrol", "route"]];
const STEPS = ["where", "what", "send"];

export function Page() {
  const state = useStore(store);
  if (!state.report) return null;
  const shown = { report: Report, outbox: Outbox, mine: Mine, patrol: Patrol }[state.tab];
  return html`
    <${Bar} state=${state} />
    <main class="page" id="content">
      ${state.offline && html`<p class="notice wait offline" role="status"><strong>${t("offline")}</strong><span>${t("offline.kept")}</span></p>`}
      ${state.update && html`<div class="notice" role="status"><span>${t("update")}</span>
        <div class="row"><button type="button" class="button" onClick=${actions.update}>${t("update.now")}</button></div></div>`}
      ${state.broken && html`<${Trouble} error=${state.broken} />`}
      <${shown} state=${state} />
    </main>
    <${Tabs} state=${state} />
  `;
}

function Bar({ state }) {
  const other = language === "en" ? ["zh-CN", "中文"] : ["en", "EN"];
  return html`
    <header class="bar">
      <a class="brand" href=${base.href} title=${t("home")}><img src=${new URL("favicon.svg", base).href} alt="" width="28" height="28" /></a>
      <h1>${t("page.app")}</h1>
      <a class="bar-link" href=${`?lang=${other[0]}`} lang=${other[0]}>${other[1]}</a>
      <${Person} account=${state.account} />
    </header>
  `;
}

function Person({ account }) {
  const path = account ? "account" : "sign-in";
  const url = new URL(path, base);
  if (!account) url.searchParams.set("next", new URL("report", base).pathname);
  const label = account ? t("account.is", { account }) : t("account.signIn");
  return html`<a class="bar-link" href=${url.href} aria-label=${label}>${icon("person")}<span>${account ?? t("account.signIn")}</span></a>`;
}

function Tabs({ state }) {
  const unsent = state.reports.filter((report) => UNSENT.includes(report.state) && report.id !== state.report.id).length;
  const tabs = TABS.filter(([name]) => name !== "patrol" || state.account);
  return html`
    <nav class="tabs" aria-label=${t("tabs")}>
      ${tabs.map(([name, sign]) => html`
        <button type="button" aria-current=${state.tab === name ? "page" : undefined} onClick=${() => actions.show(name)} data-tab=${name}>
          ${icon(sign)}<span>${t(`tab.${name}`)}</span>
          ${name === "outbox" && unsent > 0 && html`<b class="count">${unsent}<span class="hidden-text">${t("outbox.count")}</span></b>`}
          ${name === "patrol" && state.patrol && html`<b class="count on"><span class="hidden-text">${t("patrol.on")}</span></b>`}
        </button>`)}
    </nav>
  `;
}

function Report({ state }) {
  if (state.result) return html`<${Result} state=${state} />`;
  const shown = { 1: Where, 2: What, 3: Send }[state.step];
  return html`
    <ol class="steps" aria-label=${t("steps")}>
      ${STEPS.map((name, n) => html`
        <li class=${n + 1 < state.step ? "done" : n + 1 === state.step ? "now" : ""} aria-current=${n + 1 === state.step ? "step" : undefined}>
          <b>${n + 1 < state.step ? icon("check") : n + 1}</b><span>${t(`step.${name}`)}</span>
        </li>`)}
    </ol>
    <${shown} state=${state} key=${state.report.id} />
    ${begun(state.report) && html`<p class="small soft centre">${t("draft.kept")}</p>`}
  `;
}
