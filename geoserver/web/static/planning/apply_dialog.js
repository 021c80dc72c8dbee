/** The application for a red line: what it is for, and for whom. */

import { useEffect, useRef } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { Ended } from "../work/frame.js";
import { Trouble } from "../work/trouble.js";
import { apply } from "./draft.js";
import { openLine, readLines } from "./lines.js";
import { openTab } from "./permalink.js";
import { comeBack, say, set } from "./state.js";

export function ApplyDialog({ state }) {
  const { applying, draft, use, ended } = state;
  const dialog = useRef(null);
  useEffect(() => {
    dialog.current.showModal();
    return () => dialog.current?.close();
  }, []);
  const parcel = draft?.parcels[draft.chosen];
  if (!parcel) return html`<dialog ref=${dialog}></dialog>`;
  const send = async (event) => {
    event.preventDefault();
    const { all, adjusts, ...values } = Object.fromEntries(new FormData(event.target));
    const numbers = adjusts.split(/[\s,，、;；]+/).filter(Boolean);
    const number = await apply({ ...values, ...(numbers.length ? { adjusts: numbers } : {}) }, all === "on");
    if (!number) return;
    say(t("apply.done", { number }));
    openTab("lines");
    await Promise.all([readLines(), openLine(number)]);
  };
  return html`
    <dialog ref=${dialog} aria-labelledby="apply-title" onCancel=${() => set({ applying: null })}>
      <form onSubmit=${send}>
        <h2 id="apply-title">${t("apply")}</h2>
        ${ended && html`<${Ended} onBack=${comeBack} />`}
        ${applying.trouble && !ended && html`<${Trouble} error=${applying.trouble} />`}
        <label class="field"><span>${t("apply.name")} <span class="need">${t("needed")}</span></span><input name="name" required maxlength="200" autofocus defaultValue=${parcel.name} /></label>
        <label class="field"><span>${t("apply.applicant")} <span class="soft small">${t("optional")}</span></span><input name="applicant" maxlength="200" /></label>
        <p class="soft small">${t("apply.use", { scheme: use.scheme, code: use.land_code || "—" })}</p>
        <fieldset class="field"><legend>${t("apply.supply")}</legend><div class="choice">
          ${["allocation", "grant"].map((kind, n) => html`<label key=${kind}><input type="radio" name="supply" value=${kind} defaultChecked=${n === 0} />${t(`supply.${kind}`)}</label>`)}</div></fieldset>
        ${draft.parcels.length > 1 && html`<div class="choice"><label><input type="checkbox" name="all" />${t("apply.all", { n: draft.parcels.length })}</label></div>`}
        <label class="field"><span>${t("apply.adjusts")} <span class="soft small">${t("optional")}</span></span><input name="adjusts" placeholder=${t("apply.adjusts.help")} /></label>
        <label class="field"><span>${t("field.opinion")} <span class="soft small">${t("optional")}</span></span><textarea name="opinion" rows="2" maxlength="20000"></textarea></label>
        <div class="buttons">
          <button type="button" class="button" onClick=${() => set({ applying: null })}>${t("cancel")}</button>
          <button class="button main" disabled=${applying.busy || !use.land_code.trim()} data-send>${t(applying.busy ? "act.busy" : "apply.send")}</button>
        </div>
        ${!use.land_code.trim() && html`<p class="small need">${t("apply.noUse")}</p>`}
      </form>
    </dialog>
  `;
}
