/** Patrol: on, off, and what has been sent. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { inWords } from "./position.js";
import { actions } from "./state.js";

export function Patrol({ state }) {
  const { patrol } = state;
  return html`
    <section class="stack" aria-labelledby="patrol-head">
      <h2 id="patrol-head">${t("tab.patrol")}</h2>
      <p class="soft">${t("patrol.what")}</p>
      ${patrol && html`
        <div class="notice good" role="status"><strong>${t("patrol.on")}</strong>
          <span>${patrol.last ? inWords(patrol.last.accuracy).said : t("gps.waiting")}</span>
          <span class="number">${t("patrol.sent", { sent: patrol.sent, waiting: patrol.waiting })}</span></div>
        ${patrol.sent > 0 && patrol.kept === 0 && html`<p class="notice wait">${t("patrol.offDuty")}</p>`}
        ${patrol.trouble && (patrol.trouble.device
          ? html`<${Trouble} error=${{ ...patrol.trouble, cure: t("patrol.device", { account: state.account }) }} />`
          : html`<${Trouble} error=${patrol.trouble} />`)}`}
      ${patrol
        ? html`<button type="button" class="button danger wide" onClick=${actions.stopPatrol}>${icon("pause")}${t("patrol.stop")}</button>`
        : html`<button type="button" class="button main wide" onClick=${actions.startPatrol}>${icon("route")}${t("patrol.start")}</button>`}
    </section>
  `;
}
