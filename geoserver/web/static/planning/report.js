/** The report's job: how far it is, and where it can be had. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { useStore } from "../map/store.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { cancelReport } from "./reporting.js";
import { store } from "./state.js";

export function Report() {
  const { report } = useStore(store);
  if (!report) return null;
  if (report.trouble) return html`<${Trouble} error=${report.trouble}><button type="button" class="button" onClick=${cancelReport}>${t("close")}</button><//>`;
  if (report.href) return html`<p class="notice good" data-report-ready><a class="button main" href=${report.href} download>${icon("inbox")}${t(`report.get.${report.format}`)}</a></p>`;
  return html`<div class="notice" role="status"><span>${report.message || t("report.busy")}</span>
    <progress max="100" value=${report.progress} aria-label=${t("report.busy")}></progress>
    <div class="row"><button type="button" class="button" onClick=${cancelReport}>${t("cancel")}</button></div></div>`;
}
