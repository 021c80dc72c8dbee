/** The form of a step: what it needs, and nothing else. What was filled in stays until the step is taken. */

import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { Ended } from "../work/frame.js";
import { Trouble } from "../work/trouble.js";
import { given } from "./draft.js";
import { actTitle, cancelAct, takeStep } from "./lines.js";
import { comeBack } from "./state.js";
import { today } from "./words.js";

/** Days for which a publicity is proposed; the server knows the least. */
const PERIOD = 10;

export function StepDialog({ state }) {
  const { act, line, ended, draft } = state;
  const { next, busy, trouble } = act;
  const dialog = useRef(null);
  const [change, setChange] = useState("merge");
  useEffect(() => {
    dialog.current.showModal();
    return () => dialog.current?.close();
  }, []);
  const send = (event) => {
    event.preventDefault();
    takeStep(inputs(next.action, Object.fromEntries(new FormData(event.target)), draft));
  };
  const keys = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) dialog.current.querySelector("form").requestSubmit();
  };
  return html`
    <dialog ref=${dialog} aria-labelledby="step-title" onCancel=${cancelAct} onKeyDown=${keys}>
      <form onSubmit=${send}>
        <h2 id="step-title">${actTitle(next)} <span class="soft small">${line?.history.number}</span></h2>
        ${ended && html`<${Ended} onBack=${comeBack} />`}
        ${trouble && !ended && html`<${Trouble} error=${trouble} />`}
        ${next.needs.includes("looked") && html`<p class="small soft">${t("step.looked")}</p>`}
        ${next.needs.includes("check") && html`<p class="small soft">${t("step.check")}</p>`}
        ${next.needs.includes("conditions") && html`<label class="field"><span>${t("field.conditions")} <span class="need">${t("needed")}</span></span><textarea name="conditions" rows="4" required autofocus maxlength="20000"></textarea></label>`}
        ${next.action === "publicise" && html`<${Publicity} name=${line?.history.name} />`}
        ${next.action === "replace" && html`<${Change} change=${change} setChange=${setChange} parcels=${draft?.parcels.length ?? 0} />`}
        <label class="field"><span>${t("field.opinion")} ${next.needs.includes("opinion") ? html`<span class="need">${t("needed")}</span>` : html`<span class="soft small">${t("optional")}</span>`}</span>
          <textarea name="opinion" rows="3" maxlength="20000" required=${next.needs.includes("opinion")} autofocus=${!next.needs.includes("conditions") && !["publicise", "replace"].includes(next.action)}></textarea></label>
        <div class="buttons">
          <button type="button" class="button" onClick=${cancelAct}>${t("cancel")}</button>
          <button class="button main" disabled=${busy} data-perform>${t(busy ? "act.busy" : "act.do")}<kbd aria-hidden="true">Ctrl ⏎</kbd></button>
        </div>
      </form>
    </dialog>
  `;
}

/** The form's values as the process takes them. */
function inputs(action, { opinion, conditions, title, text, begins, ends, contact, change, others }, draft) {
  if (action === "publicise") return { opinion, publicity: { title, text, begins, ends, contact } };
  if (action !== "replace") return { opinion, ...(conditions === undefined ? {} : { conditions }) };
  if (change === "split") return { change, opinion, parcels: (draft?.parcels ?? []).map(given) };
  return { change, opinion, others: others.split(/[\s,，、;；]+/).filter(Boolean) };
}

function Publicity({ name }) {
  return html`
    <label class="field"><span>${t("notice.title")} <span class="need">${t("needed")}</span></span><input name="title" required maxlength="200" autofocus defaultValue=${t("notice.title.of", { name })} /></label>
    <label class="field"><span>${t("notice.text")} <span class="need">${t("needed")}</span></span><textarea name="text" rows="4" required maxlength="20000"></textarea></label>
    <div class="two">
      <label class="field"><span>${t("notice.begins")}</span><input type="date" name="begins" required defaultValue=${today()} /></label>
      <label class="field"><span>${t("notice.ends")}</span><input type="date" name="ends" required defaultValue=${today(PERIOD)} /></label>
    </div>
    <label class="field"><span>${t("notice.contact")} <span class="soft small">${t("optional")}</span></span><input name="contact" maxlength="500" /></label>
  `;
}

function Change({ change, setChange, parcels }) {
  return html`
    <fieldset class="field"><legend>${t("act.replace")}</legend><div class="choice">
      ${["merge", "split"].map((kind) => html`<label key=${kind}><input type="radio" name="change" value=${kind} checked=${change === kind} onChange=${() => setChange(kind)} />${t(`change.${kind}`)}</label>`)}</div></fieldset>
    ${change === "merge"
      ? html`<label class="field"><span>${t("change.others")} <span class="need">${t("needed")}</span></span><input name="others" required /></label>`
      : html`<p class=${`notice ${parcels > 1 ? "" : "wait"}`}>${t("change.parts", { n: parcels })}</p>`}
  `;
}
