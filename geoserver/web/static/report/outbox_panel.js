/** What is on the phone: drafts and reports that wait, each with how it stands. */

import { useState } from "preact/hooks";

import { html } from "../map/html.js";
import { language, t } from "../map/i18n.js";
import { base } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { UNSENT } from "./outbox.js";
import { actions } from "./state.js";
import { Thumb } from "./what.js";

const SIGNS = { draft: ["edit", ""], queued: ["clock", "wait"], sending: ["send", "wait"], refused: ["alert", "bad"], sent: ["check", "good"] };
const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

export function Outbox({ state }) {
  const unsent = state.reports.filter((report) => UNSENT.includes(report.state) && report.id !== state.report.id);
  const waiting = unsent.some(({ state: one }) => one === "queued");
  return html`
    <section class="stack" aria-labelledby="outbox-head">
      <h2 id="outbox-head">${t("tab.outbox")}</h2>
      ${unsent.length === 0 && html`<div class="empty">${icon("box")}<p>${t("outbox.empty")}</p>
        <button type="button" class="button main" onClick=${actions.begin}>${t("outbox.begin")}</button></div>`}
      ${waiting && html`<button type="button" class="button" disabled=${state.offline} onClick=${actions.deliver}>${icon("refresh")}${t("outbox.now")}</button>`}
      <ul class="cards">${unsent.map((report) => html`<${Item} report=${report} offline=${state.offline} key=${report.id} />`)}</ul>
    </section>
  `;
}

function Item({ report, offline }) {
  const [asking, setAsking] = useState(false);
  const own = report.state === "draft" || report.state === "refused";
  return html`
    <li class="card" data-report=${report.id} data-state=${report.state}>
      <div class="card-head">
        ${report.photos[0]?.blob && html`<${Thumb} photo=${report.photos[0]} alt="" />`}
        <div class="grow"><strong>${report.service?.name ?? t("outbox.noClass")}</strong>
          <p class="small soft">${[report.place, when.format(report.made), report.photos.length > 0 && t("outbox.photos", { n: report.photos.length })].filter(Boolean).join(" · ")}</p></div>
      </div>
      <${Delivery} report=${report} offline=${offline} />
      <div class="row">
        ${own && html`<button type="button" class="button" onClick=${() => actions.resume(report.id)}>${t("outbox.resume")}</button>`}
        ${asking
          ? html`<span class="grow">${t("outbox.sure")}</span><button type="button" class="button danger" onClick=${() => actions.discard(report.id)}>${t("outbox.discard")}</button>
            <button type="button" class="button" onClick=${() => setAsking(false)}>${t("outbox.keep")}</button>`
          : report.state !== "sending" && html`<button type="button" class="button quiet" onClick=${() => setAsking(true)}>${icon("bin")}${t("outbox.discard")}</button>`}
      </div>
    </li>
  `;
}

/** How one report stands: colour, sign and words. */
export function Delivery({ report, offline }) {
  const [sign, grade] = SIGNS[report.state];
  const sentPhotos = report.photos.filter(({ upload }) => upload).length;
  const key = report.state === "queued" && offline ? "offline" : report.state;
  const { trouble } = report;
  return html`
    <p><span class=${`chip ${grade}`}>${icon(sign)}${t(`sync.${key}`)}</span>
      ${report.state === "sending" && sentPhotos > 0 && html`<span class="small soft"> ${t("sync.photos", { n: sentPhotos, of: report.photos.length })}</span>`}</p>
    ${trouble?.signIn && html`<div class="notice wait"><strong>${t("sync.signIn", { account: trouble.signIn })}</strong>
      <div class="row"><a class="button" href=${signIn()}>${t("account.signIn")}</a></div></div>`}
    ${trouble && !trouble.signIn && !(offline && trouble.status === 0) && html`<${Trouble} error=${trouble} />`}
  `;
}

function signIn() {
  const url = new URL("sign-in", base);
  url.searchParams.set("next", new URL("report", base).pathname);
  return url.href;
}
