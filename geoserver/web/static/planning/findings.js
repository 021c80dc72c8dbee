/** What was found wrong with a file of boundary points, line by line. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { own } from "./words.js";

const MOST = 200;

export function Findings({ draft }) {
  const { findings, errors, warnings, parcels, file, encoding } = draft;
  const grade = errors > 0 ? "bad" : warnings > 0 ? "wait" : "good";
  const about = [file, encoding && t("findings.encoding", { encoding: encoding.toUpperCase() }), t("findings.parcels", { n: parcels.length })].filter(Boolean);
  return html`
    <section class=${`notice ${grade}`} aria-label=${t("findings")} data-errors=${errors} data-warnings=${warnings} role=${errors > 0 ? "alert" : "status"}>
      <strong>${about.join(" · ")}</strong>
      ${findings.length === 0 ? html`<span>${t("findings.none")}</span>` : html`<span>${t("findings.count", { errors, warnings })}</span>`}
      ${findings.length > 0 && html`<ul class="findings">
        ${findings.slice(0, MOST).map(({ severity, line, text }, n) => html`<li key=${n} data-severity=${severity} data-line=${line}>
          <span class=${`chip ${severity === "error" ? "bad" : "wait"}`}>${icon(severity === "error" ? "stop" : "alert")}${t(`findings.${severity}`)}</span> ${own(text)}</li>`)}
      </ul>`}
      ${findings.length > MOST && html`<span class="small">${t("findings.more", { n: findings.length - MOST })}</span>`}
    </section>
  `;
}
