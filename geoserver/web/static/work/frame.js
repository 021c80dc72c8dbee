/** What frames a working page: its bar, a session that has ended, nobody signed in. */

import { html } from "../map/html.js";
import { language, t } from "../map/i18n.js";
import { base } from "./api.js";
import { icon } from "./icons.js";

/** The bar: `links` are `[path, text]` of other pages, `children` more tools; `onTheme` is told of another look. */
export function Bar({ account, links = [], onTheme, children }) {
  const other = language === "en" ? ["zh-CN", "中文"] : ["en", "EN"];
  const dark = document.documentElement.dataset.theme === "dark";
  const look = t(dark ? "theme.light" : "theme.dark");
  return html`
    <header class="bar">
      <a class="brand" href=${base.href} title=${t("home")}><img src=${new URL("favicon.svg", base).href} alt="" width="28" height="28" /></a>
      <h1>${t("page.name")}</h1>
      <nav class="bar-links" aria-label=${t("pages")}>
        ${links.map(([path, text]) => html`<a class="bar-link wide-only" key=${path} href=${new URL(path, base).href}>${text}</a>`)}
        ${children}
        <button type="button" class="bar-link" onClick=${() => onTheme(switchTheme())} aria-label=${look} title=${look}>${icon(dark ? "sun" : "moon")}</button>
        <a class="bar-link" href=${`?lang=${other[0]}${location.hash}`} lang=${other[0]}>${other[1]}</a>
        ${account
          ? html`<a class="bar-link" href=${new URL("account", base).href} aria-label=${t("account.is", { account })}>${icon("person")}<span>${account}</span></a>`
          : html`<a class="bar-link" href=${signIn()}>${icon("person")}<span>${t("account.signIn")}</span></a>`}
      </nav>
    </header>
  `;
}

/** Change between light and dark; returns the new one. */
function switchTheme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("citymap.theme", root.dataset.theme);
  } catch {
    // Storage may be forbidden; the choice lasts as long as the page.
  }
  return root.dataset.theme;
}

/** The session is over: what is on the page stays, signing in happens beside it. */
export const Ended = ({ onBack }) => html`
  <div class="notice bad" role="alert"><strong>${t("session.ended")}</strong><span>${t("session.ended.cure")}</span>
    <div class="row"><a class="button main" href=${signIn()} target="_blank" rel="opener">${t("account.signIn")}</a>
      <button type="button" class="button" onClick=${onBack}>${t("session.check")}</button></div></div>
`;

export const Nobody = ({ title, text }) => html`
  <main class="nobody" id="content"><div class="empty">${icon("person")}<h2>${title}</h2><p>${text}</p>
    <a class="button main" href=${signIn()}>${t("account.signIn")}</a></div></main>
`;

/** Where to sign in so as to come back here. */
export function signIn() {
  const url = new URL("sign-in", base);
  url.searchParams.set("next", location.pathname + location.hash);
  return url.href;
}
