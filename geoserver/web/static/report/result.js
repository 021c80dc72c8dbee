/** After sending: what became of the report, as it happens. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Delivery } from "./outbox_panel.js";
import { actions } from "./state.js";

export function Result({ state }) {
  const report = state.reports.find(({ id }) => id === state.result);
  if (!report) return null;
  const done = report.state === "sent";
  return html`
    <section class="result stack" aria-live="polite">
      <div class=${`medal ${done ? "good" : "wait"}`}>${icon(done ? "check" : "box")}</div>
      <h2>${t(done ? "result.sent" : "result.kept")}</h2>
      ${done && report.answer?.case && html`<p class="code number">${report.answer.case}</p>`}
      ${done && html`<p class="soft">${t(report.answer?.attached_to ? "result.joined" : "result.next", { case: report.answer?.attached_to ?? "" })}</p>`}
      ${!done && html`<${Delivery} report=${report} offline=${state.offline} />`}
      <button type="button" class="button main wide" onClick=${actions.begin}>${icon("edit")}${t("result.another")}</button>
      <button type="button" class="button" onClick=${() => actions.show(done ? "mine" : "outbox")}>${t(done ? "tab.mine" : "tab.outbox")}</button>
    </section>
  `;
}
