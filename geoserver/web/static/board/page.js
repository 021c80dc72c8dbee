/** The leader's view as a whole. */

import { html } from "../map/html.js";
import { language, t } from "../map/i18n.js";
import { useStore } from "../map/store.js";
import { base } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { Counted } from "./counted.js";
import { Now, Period } from "./figures.js";
import { NAMES } from "./period.js";
import { Areas, Classes, Departments } from "./tables.js";
import { Trend } from "./trend.js";
import { moment, time } from "./words.js";

export function Page({ store, actions }) {
  const state = useStore(store);
  const { board, chosen, counted, words, theme } = state;
  return html`
    <${Top} state=${state} actions=${actions} />
    <main>
      ${state.trouble && html`<${Troubled} state=${state} actions=${actions} />`}
      ${!board && state.phase === "loading" && html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i><i></i></div>`}
      ${board && html`
        <div class="numbers"><${Now} board=${board} chosen=${chosen} /><${Period} board=${board} chosen=${chosen} /></div>
        <div class="columns">
          <div class="column left"><${Trend} board=${board} chosen=${chosen} theme=${theme} /><${Classes} board=${board} chosen=${chosen} /></div>
          <${Counted} chosen=${chosen} counted=${counted} words=${words} theme=${theme} />
          <div class="column right"><${Areas} board=${board} chosen=${chosen} /><${Departments} board=${board} chosen=${chosen} /></div>
        </div>
      `}
    </main>
  `;
}

function Top({ state, actions }) {
  const other = language === "en" ? ["zh-CN", "中", "中文"] : ["en", "EN", "EN English"];
  const dark = state.theme === "dark";
  const label = t(dark ? "light" : "dark");
  return html`
    <header class="top">
      <a class="brand" href=${base.href}><img src=${new URL("favicon.svg", base).href} alt="" width="32" height="32" /><h1>${t("page.name")}</h1></a>
      <${Where} state=${state} actions=${actions} />
      <div class="periods" role="group" aria-label=${t("period.choose")}>
        ${NAMES.map((name) => html`<button type="button" aria-pressed=${String(name === state.period)} onClick=${() => actions.choosePeriod(name)}>${t(`period.${name}`)}</button>`)}
      </div>
      <p class="fresh"><span aria-live="off">${state.board ? t("fresh", { time: time(state.board.read) }) : state.phase === "loading" ? t("loading") : ""}</span>
        <button type="button" class="tool" title=${t("refresh")} aria-label=${t("refresh")} onClick=${actions.refresh} data-busy=${String(state.busy)}>${icon("refresh")}</button></p>
      <nav class="tools" aria-label=${t("tools")}>
        <a class="tool" href=${new URL("map", base).href} title=${t("map")} aria-label=${t("map")}>${icon("pin")}</a>
        <button type="button" class="tool" title=${label} aria-label=${label} onClick=${actions.toggleTheme}>${icon(dark ? "sun" : "moon")}</button>
        <button type="button" class="tool" lang=${other[0]} title=${other[2]} aria-label=${other[2]} onClick=${() => actions.changeLanguage(other[0])}>${other[1]}</button>
        <a class="tool" href=${new URL(state.account ? "account" : "sign-in?next=" + encodeURIComponent(location.pathname + location.search), base).href}
          title=${state.account ?? t("account.signIn")} aria-label=${state.account ?? t("account.signIn")}>${icon("person")}</a>
      </nav>
    </header>
  `;
}

/** The area and those above it; the last is where one is. */
function Where({ state, actions }) {
  const codes = [4, 6, 9, 12, 14, 15].filter((digits) => digits <= state.area.length).map((digits) => state.area.slice(0, digits));
  const named = codes.filter((code) => code === state.area || state.areaNames[code]);
  return html`
    <nav class="where" aria-label=${t("where")}><ol>
      ${["", ...named].map((code) => {
        const name = code === "" ? t("where.all") : state.areaNames[code] ?? code;
        return html`<li key=${code}>${code === state.area ? html`<span aria-current="true">${name}</span>` : html`<button type="button" onClick=${() => actions.chooseArea(code)}>${name}</button>`}</li>`;
      })}
    </ol></nav>
  `;
}

function Troubled({ state, actions }) {
  const { trouble, board } = state;
  const signIn = trouble.status === 401 || trouble.status === 404 || (trouble.status === 403 && !state.account) || (trouble.status === 400 && !state.account);
  if (signIn && !state.account) {
    return html`<div class="notice wait" role="alert"><strong>${t("signIn.cause")}</strong><span>${t("signIn.cure")}</span>
      <div class="row"><a class="button main" href=${new URL(`sign-in?next=${encodeURIComponent(location.pathname + location.search)}`, base).href}>${t("account.signIn")}</a></div></div>`;
  }
  return html`<${Trouble} error=${trouble} onRetry=${actions.refresh}>${board && html`<span>${t("stale", { when: moment(board.read) })}</span>`}<//>`;
}
