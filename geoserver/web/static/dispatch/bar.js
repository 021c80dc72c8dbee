/** The bar: whose page it is, whether positions come, sound, look and language; and who is not signed in. */

import { html } from "../map/html.js";
import { language, t } from "../map/i18n.js";
import { base } from "../work/api.js";
import { icon } from "../work/icons.js";
import { toggleSound } from "./alarms.js";
import { comeBack, switchTheme } from "./state.js";
import { set } from "./store.js";
import { count } from "./words.js";

export function Bar({ state }) {
  const other = language === "en" ? ["zh-CN", "中文"] : ["en", "EN"];
  const dark = state.theme === "dark";
  const ready = state.phase === "ready";
  return html`
    <header class="bar">
      <a class="brand" href=${base.href} title=${t("home")}><img src=${new URL("favicon.svg", base).href} alt="" width="28" height="28" /></a>
      <h1>${t("page.name")}</h1>
      ${ready && html`<p class=${`link ${state.link}`} data-link=${state.link}><i aria-hidden="true"></i>${t(`link.is.${state.link}`)}<span class="wide-only"> · ${t("link.count", { count: count(state.shown.length) })}</span></p>`}
      <nav class="bar-links" aria-label=${t("pages")}>
        <a class="bar-link wide-only" href=${new URL("map", base).href}>${t("pages.map")}</a>
        <a class="bar-link wide-only" href=${new URL("cases", base).href}>${t("pages.cases")}</a>
        ${ready && html`<button type="button" class="bar-link sound" aria-pressed=${String(state.sound)} onClick=${toggleSound}>${icon(state.sound ? "bell" : "mute")}<span class="wide-only">${t(state.sound ? "sound.on" : "sound.off")}</span><span class="hidden-text narrow">${t("sound")}</span></button>
        <button type="button" class="bar-link wide-only" aria-pressed=${String(state.trails)} onClick=${() => set({ trails: !state.trails })}>${icon("route")}<span>${t("trails")}</span></button>`}
        <button type="button" class="bar-link" onClick=${switchTheme} aria-label=${t(dark ? "theme.light" : "theme.dark")} title=${t(dark ? "theme.light" : "theme.dark")}>${icon(dark ? "sun" : "moon")}</button>
        <a class="bar-link" href=${`?lang=${other[0]}${location.hash}`} lang=${other[0]}>${other[1]}</a>
        ${state.account && html`<a class="bar-link" href=${new URL("account", base).href} aria-label=${t("account.is", { account: state.account })}>${icon("person")}<span class="wide-only">${state.account}</span></a>`}
      </nav>
    </header>
  `;
}

/** The session is over: what is on the page stays, signing in happens beside it. */
export const Ended = () => html`
  <div class="notice bad" role="alert"><strong>${t("session.ended")}</strong><span>${t("session.ended.cure")}</span>
    <div class="row"><a class="button main" href=${signIn()} target="_blank" rel="opener">${t("account.signIn")}</a>
      <button type="button" class="button" onClick=${comeBack}>${t("session.check")}</button></div></div>
`;

export const Nobody = () => html`<main class="nobody" id="content"><div class="empty">${icon("person")}<h2>${t("nobody.title")}</h2><p>${t("nobody.text")}</p>
  <a class="button main" href=${signIn()}>${t("account.signIn")}</a></div></main>`;

function signIn() {
  const url = new URL("sign-in", base);
  url.searchParams.set("next", new URL("dispatch", base).pathname + location.hash);
  return url.href;
}
