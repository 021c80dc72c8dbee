/** The inbox: bar, list, the open case, the map, and the dialogs over them. */

import { useEffect } from "preact/hooks";

import { html } from "../map/html.js";
import { language, t } from "../map/i18n.js";
import { useStore } from "../map/store.js";
import { base } from "../work/api.js";
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
    <${Bar} state=${state} />
    <div class="notes" aria-live="polite">
      ${state.offline && html`<p class="notice wait">${t("offline")}</p>`}
      ${state.ended && html`<${Ended} />`}
      ${state.message && html`<p class="notice good said">${icon("check")}${state.message}</p>`}
    </div>
    ${state.phase === "nobody" ? html`<${Nobody} />` : html`
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

function Bar({ state }) {
  const other = language === "en" ? ["zh-CN", "中文"] : ["en", "EN"];
  const dark = document.documentElement.dataset.theme === "dark";
  return html`
    <header class="bar">
      <a class="brand" href=${base.href} title=${t("home")}><img src=${new URL("favicon.svg", base).href} alt="" width="28" height="28" /></a>
      <h1>${t("page.name")}</h1>
      <nav class="bar-links" aria-label=${t("pages")}>
        <a class="bar-link wide-only" href=${new URL("map", base).href}>${t("pages.map")}</a>
        <a class="bar-link wide-only" href=${new URL("report", base).href}>${t("pages.report")}</a>
        <button type="button" class="bar-link wide-only" onClick=${() => actions.help(true)} aria-label=${t("help.title")} title=${t("help.title")}>${icon("keyboard")}</button>
        <button type="button" class="bar-link" onClick=${switchTheme} aria-label=${t(dark ? "theme.light" : "theme.dark")} title=${t(dark ? "theme.light" : "theme.dark")}>${icon(dark ? "sun" : "moon")}</button>
        <a class="bar-link" href=${`?lang=${other[0]}${location.hash}`} lang=${other[0]}>${other[1]}</a>
        ${state.account && html`<a class="bar-link" href=${new URL("account", base).href} aria-label=${t("account.is", { account: state.account })}>${icon("person")}<span>${state.account}</span></a>`}
      </nav>
    </header>
  `;
}

function switchTheme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("citymap.theme", root.dataset.theme);
  } catch {
    // Storage may be forbidden; the choice lasts as long as the page.
  }
  store.set({ theme: root.dataset.theme });
}

/** The session is over: what is on the page stays, signing in happens beside it. */
export const Ended = () => html`
  <div class="notice bad" role="alert"><strong>${t("session.ended")}</strong><span>${t("session.ended.cure")}</span>
    <div class="row"><a class="button main" href=${signIn()} target="_blank" rel="opener">${t("account.signIn")}</a>
      <button type="button" class="button" onClick=${actions.comeBack}>${t("session.check")}</button></div></div>
`;

function Nobody() {
  return html`<main class="nobody" id="content"><div class="empty">${icon("person")}<h2>${t("nobody.title")}</h2><p>${t("nobody.text")}</p>
    <a class="button main" href=${signIn()}>${t("account.signIn")}</a></div></main>`;
}

function signIn() {
  const url = new URL("sign-in", base);
  url.searchParams.set("next", new URL("cases", base).pathname + location.hash);
  return url.href;
}
