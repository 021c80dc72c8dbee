/** The rules of the grid and the working calendar: what is in force, and other rules from a file. */

import { useState } from "preact/hooks";

import { html } from "../map/html.js";
import { language, t } from "../map/i18n.js";
import { ask, run } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { ReadState, useAct, useRead } from "./loading.js";
import { say } from "./state.js";
import { count } from "./words.js";

const TABLES = ["conditions", "classes", "dispatch-rules"];
const PAGE = 50;

export function RulesPart({ state }) {
  const [table, setTable] = useState("conditions");
  const [asked, setAsked] = useState({ words: "", offset: 0 });
  const found = useRead(() => run("list-grid-rules", { table, words: asked.words, offset: asked.offset, limit: PAGE }), [table, asked]);
  return html`
    <div class="choice" role="radiogroup" aria-label=${t("rules.table")}>${TABLES.map((one) => html`<label key=${one}><input type="radio" name="table" value=${one} checked=${table === one} onChange=${() => { setTable(one); setAsked({ words: "", offset: 0 }); }} />${t(`rules.${one}`)}</label>`)}</div>
    <div class="tools"><label class="find">${icon("search")}<span class="hidden-text">${t("rules.find")}</span><input class="search-field" type="search" placeholder=${t("rules.find")} value=${asked.words} onInput=${(event) => setAsked({ words: event.target.value, offset: 0 })} /></label></div>
    <${ReadState} found=${found} />
    ${found.value && html`<${Rows} page=${found.value} asked=${asked} setAsked=${setAsked} />`}
    ${state.executes.includes("import-grid-rules") && html`<${Import} table=${table} again=${found.again} />`}
    <${Calendar} />
  `;
}

function Rows({ page, asked, setAsked }) {
  if (page.rows.length === 0) return html`<p class="soft">${t("rules.none")}</p>`;
  const columns = Object.keys(page.rows[0]).filter((name) => page.rows.some((row) => row[name] !== null && row[name] !== ""));
  return html`<p class="small soft" role="status">${t("rules.count", { total: count(page.total) })}</p>
    <div class="scroll tall" tabindex="0" role="group" aria-label=${t(`rules.${page.table}`)}><table><thead><tr>${columns.map((name) => html`<th scope="col" key=${name}>${t(`column.${name}`)}</th>`)}</tr></thead>
      <tbody>${page.rows.map((row, n) => html`<tr key=${n}>${columns.map((name) => html`<td key=${name}>${name === "unit" ? t(`unit.${row[name]}`) : name === "kind" && row[name] ? t(`kind.${row[name]}`) : row[name] ?? ""}</td>`)}</tr>`)}</tbody></table></div>
    <div class="row"><button type="button" class="button" disabled=${asked.offset === 0} onClick=${() => setAsked({ ...asked, offset: Math.max(0, asked.offset - PAGE) })}>${t("page.before")}</button>
      <button type="button" class="button" disabled=${asked.offset + PAGE >= page.total} onClick=${() => setAsked({ ...asked, offset: asked.offset + PAGE })}>${t("page.after")}</button></div>`;
}

function Import({ table, again }) {
  const [send, { busy, trouble }] = useAct(async (form) => {
    const values = new FormData(form);
    const file = values.get("file");
    const { id } = await ask("POST", "uploads", { query: { name: file.name }, body: file, headers: { "Content-Type": "application/octet-stream" } });
    const done = await run("import-grid-rules", { table, upload: id, replace: values.get("replace") === "on" });
    say(t("rules.done", { written: done.written, removed: done.removed }));
    form.reset();
    await again();
  });
  return html`<details class="card"><summary>${t("rules.import")}</summary><form class="form" onSubmit=${(event) => { event.preventDefault(); send(event.target); }}>
    <label class="field"><span>${t("rules.file")}</span><input type="file" name="file" accept=".csv" required /></label>
    <label class="tick"><input type="checkbox" name="replace" />${t("rules.replace")}</label>
    ${trouble && html`<${Trouble} error=${trouble} />`}
    <div class="row"><button class="button main" disabled=${busy}>${t("rules.do")}</button></div></form></details>`;
}

const named = new Intl.DateTimeFormat(language, { month: "long", day: "numeric", weekday: "short", timeZone: "UTC" });

function Calendar() {
  const [year, setYear] = useState(new Date().getFullYear());
  const found = useRead(() => run("working-calendar", { year }), [year]);
  return html`<section class="card" aria-label=${t("calendar")}><h3>${t("calendar")}</h3>
    <label class="field narrow"><span>${t("calendar.year")}</span><input type="number" min="2010" max="2100" value=${year} onChange=${(event) => event.target.checkValidity() && setYear(Number(event.target.value))} /></label>
    <${ReadState} found=${found} />
    ${found.value && html`<p>${t("calendar.about", { days: found.value.working_days, hours: found.value.hours.join(language === "en" ? ", " : "、") })}</p>
      <ul class="days">${found.value.days.map((one) => html`<li key=${one.day} class=${`chip ${one.working ? "wait" : "good"}`}>${named.format(new Date(`${one.day}T00:00:00Z`))} ${t(one.working ? "calendar.works" : "calendar.rests")}${one.own ? ` · ${t("calendar.own")}` : ""}</li>`)}</ul>
      <p class="small soft">${t("calendar.change")}</p>`}</section>`;
}
