/** What the public said of a notice: the queue, a verdict on each, the drawings, and the end of the notice. */

import { useEffect, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { ask, run } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { readNotices } from "./notices.js";
import { say, told } from "./state.js";
import { day } from "./words.js";

const MOST = 200;
const GRADES = { support: "good", oppose: "bad" };

async function readComments(notice) {
  const filter = `notice = '${notice.replaceAll("'", "''")}'`;
  const { features } = await ask("GET", "collections/notice-comments/items", { query: { f: "json", limit: MOST, sortby: "number", filter } });
  return features.map(({ id, properties }) => ({ id, ...properties }));
}

export function Comments({ row }) {
  const [rows, setRows] = useState(null);
  const [trouble, setTrouble] = useState(null);
  const attempt = async (work) => {
    setTrouble(null);
    try {
      await work();
    } catch (error) {
      setTrouble(await told(error));
    }
  };
  const read = () => attempt(async () => setRows(await readComments(row.number)));
  useEffect(() => { read(); }, [row.number]);
  const decide = (verdict) => attempt(async () => {
    await run("moderate-comments", { verdicts: [verdict] });
    say(t("comments.decided"));
    setRows(await readComments(row.number));
  });
  const close = (words) => attempt(async () => {
    await run("close-notice", { notice: row.number, words });
    say(t("comments.closed"));
    await readNotices();
  });
  const add = (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) attempt(async () => {
      const { id } = await ask("POST", "uploads", { query: { name: file.name }, body: file, headers: { "Content-Type": "application/octet-stream" }, patience: 90_000 });
      await run("add-drawing", { notice: row.number, upload: id, title: file.name.replace(/\.[^.]+$/, "") }, { patience: 90_000 });
      say(t("comments.drawn"));
    });
  };
  return html`<section class="form" aria-label=${t("comments")} data-comments>
    <h3>${t("comments")}</h3>
    ${trouble && html`<${Trouble} error=${trouble} onRetry=${read} />`}
    ${!rows && !trouble && html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i></div>`}
    ${rows && rows.length === 0 && html`<p class="soft">${t("comments.none")}</p>`}
    ${rows && rows.length > 0 && html`<ul class="cards">${rows.map((one) => html`<${Comment} one=${one} decide=${decide} key=${`${one.number}-${one.status}`} />`)}</ul>`}
    <div class="row"><label class="button file">${icon("photo")}${t("comments.draw")}<input type="file" accept=".pdf,.png,.jpg,.jpeg" onChange=${add} /></label></div>
    ${!row.summary && html`<form class="form" onSubmit=${(event) => { event.preventDefault(); close(new FormData(event.target).get("words")); }}>
      <label class="field"><span>${t("comments.words")} <span class="soft small">${t("optional")}</span></span><textarea name="words" rows="2" maxlength="5000"></textarea></label>
      <button class="button">${t("comments.close")}</button></form>`}
  </section>`;
}

function Comment({ one, decide }) {
  const [words, setWords] = useState("");
  const waits = one.status === "pending";
  return html`<li class="card" data-comment=${one.number} data-status=${one.status}>
    <p class="row"><span class=${`chip ${GRADES[one.stance] ?? "wait"}`}>${t(`stance.${one.stance}`)}</span><span class="chip">${t(`comment.${one.status}`)}</span><span class="small soft">${day(one.received_on)} ${one.person ?? ""} ${one.phone ?? ""}</span></p>
    <p class="said-text">${one.comment}</p>
    ${one.reply && html`<p class="small"><strong>${t("comments.reply")}</strong> ${one.reply}</p>`}
    ${one.reason && html`<p class="small soft">${one.reason}</p>`}
    ${waits && html`<label class="field"><span>${t("comments.said")}</span><textarea rows="2" maxlength="2000" value=${words} onInput=${(event) => setWords(event.target.value)}></textarea></label>
      <div class="row"><button type="button" class="button main" onClick=${() => decide({ comment: one.number, publish: true, reply: words })}>${t("comments.publish")}</button>
        <button type="button" class="button danger" disabled=${!words.trim()} onClick=${() => decide({ comment: one.number, publish: false, reason: words })}>${t("comments.reject")}</button></div>`}
  </li>`;
}
