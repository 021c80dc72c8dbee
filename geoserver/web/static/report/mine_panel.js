/** My reports and how they stand. */

import { useEffect, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { language, t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { byReceipts, ofAccount, stateNames } from "./mine.js";
import { actions } from "./state.js";

const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

export function Mine({ state }) {
  const { account, reports } = state;
  const sent = reports.filter((report) => report.state === "sent");
  const [found, setFound] = useState(null);
  const [trouble, setTrouble] = useState(null);
  const load = async () => {
    setTrouble(null);
    try {
      const own = account ? await ofAccount(account, await stateNames()) : [];
      const public_ = await byReceipts(sent);
      setFound([...own, ...public_.filter((one) => !own.some((other) => other.case === one.case))]);
    } catch (error) {
      setTrouble(error.told ?? { cause: String(error) });
      setFound((before) => before ?? sent.filter(({ answer }) => answer?.case).map(kept));
    }
  };
  useEffect(() => { load(); }, [account, sent.length]);
  return html`
    <section class="stack" aria-labelledby="mine-head">
      <div class="row"><h2 id="mine-head" class="grow">${t("tab.mine")}</h2>
        <button type="button" class="button round" aria-label=${t("mine.refresh")} title=${t("mine.refresh")} onClick=${load}>${icon("refresh")}</button></div>
      ${trouble && html`<${Trouble} error=${trouble} onRetry=${load} />`}
      ${!found && !trouble && html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i><i></i></div>`}
      ${found?.length === 0 && html`<div class="empty">${icon("list")}<p>${t("mine.empty")}</p>
        <button type="button" class="button main" onClick=${actions.begin}>${t("outbox.begin")}</button></div>`}
      <ul class="cards">${found?.map((one) => html`
        <li class="card" key=${one.case} data-case=${one.case}>
          <strong>${one.title}</strong>
          <p class="small soft"><span class="number">${one.case}</span> · <time>${when.format(new Date(one.at))}</time></p>
          <p><span class=${`chip ${one.closed ? "good" : "wait"}`}>${icon(one.closed ? "check" : "clock")}${one.named}</span>
            ${one.attached && html` <span class="small">${t("mine.joined", { case: one.attached })}</span>`}</p>
        </li>`)}</ul>
      ${!account && found?.length > 0 && html`<p class="small soft">${t("mine.device")}</p>`}
    </section>
  `;
}

/** What the phone knows by itself of a report that the server has. */
const kept = (report) => ({
  case: report.answer.case, title: report.answer.title ?? report.service?.name, at: report.sent, closed: false, named: t("sync.sent"), attached: report.answer.attached_to,
});
