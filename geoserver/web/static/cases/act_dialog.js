/** The form of an act: what it needs, and nothing else. What was filled in stays until the act is done. */

import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { language, t } from "../map/i18n.js";
import { Ended } from "../work/frame.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { FORMS } from "./acts.js";
import { readChoices } from "./queries.js";
import { actions } from "./state.js";
import { actName } from "./words.js";

const MOST_PHOTOS = 6;

export function ActDialog({ state }) {
  const { form, names } = state;
  const dialog = useRef(null);
  const [values, setValues] = useState({});
  const [files, setFiles] = useState([]);
  const choices = useChoices(form);
  const together = form.codes.length > 1;
  const fields = FORMS[form.act].map((name) => [name.replace("!", ""), name.endsWith("!")]).filter(([name]) => !(together && name === "photos"));
  useEffect(() => {
    dialog.current.showModal();
    return () => dialog.current?.close();
  }, []);
  // What had the focus may be gone: it stays in the form.
  useEffect(() => {
    const held = document.activeElement;
    if (held === dialog.current || !dialog.current.contains(held)) dialog.current.querySelector("textarea, select, input, button")?.focus();
  }, [state.ended, form.trouble]);
  const put = (name) => (value) => setValues((before) => ({ ...before, [name]: value === "" ? undefined : value }));
  const perform = (event) => {
    event.preventDefault();
    actions.perform(values, files);
  };
  const keys = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) dialog.current.querySelector("form").requestSubmit();
  };
  const unit = names?.limit_unit?.[state.detail?.feature.properties.limit_unit] ?? "";
  return html`
    <dialog ref=${dialog} aria-labelledby="act-title" onCancel=${actions.cancel} onKeyDown=${keys}>
      <form onSubmit=${perform}>
        <h2 id="act-title">${actName(form.act)} <span class="soft small">${together ? t("act.cases", { n: form.codes.length }) : form.codes[0]}</span></h2>
        ${state.ended && html`<${Ended} onBack=${actions.comeBack} />`}
        ${form.trouble && !state.ended && html`<${Trouble} error=${form.trouble} />`}
        ${form.failed.length > 1 && html`<ul class="failed small">${form.failed.map(({ code, cause }) => html`<li key=${code}><strong class="number">${code}</strong> ${cause}</li>`)}</ul>`}
        ${fields.map(([name, needed], n) => html`<${Field} key=${name} name=${name} needed=${needed} first=${n === 0} value=${values[name]} put=${put(name)} choices=${choices} files=${files} setFiles=${setFiles} unit=${unit} />`)}
        <div class="buttons">
          <button type="button" class="button" onClick=${actions.cancel}>${t("cancel")}</button>
          <button type="submit" class="button main" disabled=${form.busy} data-perform>${form.busy ? t("act.busy") : actName(form.act)}<kbd aria-hidden="true">Ctrl ⏎</kbd></button>
        </div>
      </form>
    </dialog>
  `;
}

/** What may be chosen for the first of the cases; null until it is known, or where nothing is to be chosen. */
function useChoices({ act, codes }) {
  const [choices, setChoices] = useState(null);
  useEffect(() => {
    if (FORMS[act].some((name) => /^(condition|department)/.test(name))) readChoices(codes[0]).then(setChoices, () => setChoices({ conditions: [], departments: [], proposals: [] }));
  }, []);
  return choices;
}

function Field({ name, needed, first, value, put, choices, files, setFiles, unit }) {
  const head = html`${t(`field.${name}`)} ${needed ? html`<span class="need">${t("needed")}</span>` : html`<span class="soft small">${t("optional")}</span>`}`;
  if (name === "found" || name === "consistent") {
    return html`<fieldset class="field"><legend>${head}</legend><div class="choice">
      ${[true, false].map((answer, n) => html`<label><input type="radio" name=${name} required=${needed} autofocus=${first && n === 0} checked=${value === answer} onChange=${() => put(answer)} />${t(`field.${name}.${answer}`)}</label>`)}</div></fieldset>`;
  }
  if (name === "engineering") {
    return html`<div class="choice"><label><input type="checkbox" checked=${value ?? false} onChange=${(event) => put(event.target.checked)} />${t("field.engineering")}</label></div>`;
  }
  if (name === "photos") {
    return html`<label class="field"><span>${head}</span>
      <span class="file button">${icon("camera")}${files.length > 0 ? t("field.photos.n", { n: files.length }) : t("field.photos.choose")}
        <input type="file" accept="image/*" multiple onChange=${(event) => setFiles([...event.target.files].slice(0, MOST_PHOTOS))} /></span></label>`;
  }
  if (name === "amount") {
    return html`<label class="field"><span>${head}</span><input type="number" min="0.5" max="1000" step="0.5" required=${needed} autofocus=${first} value=${value ?? ""} onInput=${(event) => put(event.target.value === "" ? "" : Number(event.target.value))} />
      <span class="small soft">${unit}</span></label>`;
  }
  if (name === "condition") return html`<${Condition} head=${head} first=${first} value=${value} put=${put} choices=${choices} />`;
  if (name === "department") return html`<${Department} head=${head} first=${first} value=${value} put=${put} choices=${choices} />`;
  return html`<label class="field"><span>${head}</span><textarea rows="3" maxlength="2000" required=${needed} autofocus=${first} value=${value ?? ""} onInput=${(event) => put(event.target.value)}></textarea></label>`;
}

const Waiting = () => html`<div class="skeleton" role="status" aria-label=${t("loading")}><i class="low"></i></div>`;

/** What comes later than its dialog takes the focus itself. */
function useFocus(ready) {
  const element = useRef(null);
  useEffect(() => { element.current?.focus(); }, [ready]);
  return element;
}

function Condition({ head, first, value, put, choices }) {
  const field = useFocus(choices !== null && first);
  if (!choices) return html`<${Waiting} />`;
  if (choices.conditions.length === 0) return html`<p class="soft">${t("field.condition.none")}</p>`;
  return html`<fieldset class="field"><legend>${head}</legend><div class="choice">
    ${choices.conditions.map((one, n) => html`<label key=${one.condition}><input type="radio" name="condition" required=${choices.conditions.length > 1} ref=${n === 0 ? field : undefined} checked=${value === one.condition} onChange=${() => put(one.condition)} />
      <span>${one.condition || t("field.condition.any")} <span class="small soft">${t(`limit.${one.unit}`, { n: one.amount })}</span></span></label>`)}</div></fieldset>`;
}

function Department({ head, first, value, put, choices }) {
  const field = useFocus(choices !== null && first);
  useEffect(() => {
    if (choices?.proposals.length && value === undefined) put(choices.proposals[0].department);
  }, [choices]);
  if (!choices) return html`<${Waiting} />`;
  const spoken = language === "en" ? "en" : "zh";
  const proposed = choices.proposals.find(({ department }) => department === value);
  return html`<label class="field"><span>${head}</span>
    <select required ref=${field} value=${value ?? ""} onChange=${(event) => put(event.target.value)}>
      <option value="">${t("field.department.choose")}</option>
      ${choices.departments.map(({ id, name }) => html`<option value=${id} key=${id}>${name[spoken]}${choices.proposals.some((one) => one.department === id) ? ` · ${t("field.department.proposed")}` : ""}</option>`)}
    </select>
    ${proposed && html`<span class="small soft">${proposed.reason[spoken]}</span>`}</label>`;
}
