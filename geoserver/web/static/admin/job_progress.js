/** A job as it goes: how far it is, what it says, and a way to stop it. */

import { useEffect, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { ask } from "../work/api.js";
import { Trouble } from "../work/trouble.js";
import { told } from "./state.js";

const EVERY = 1000;

export function JobProgress({ id, onDone, onClose }) {
  const [job, setJob] = useState({ progress: 0, message: "" });
  const [trouble, setTrouble] = useState(null);
  useEffect(() => {
    let gone = false;
    const look = async () => {
      try {
        const found = await ask("GET", `jobs/${id}`, { query: { f: "json" } });
        if (gone) return;
        setJob(found);
        if (found.status === "successful" || found.status === "failed") return onDone(await ask("GET", `jobs/${id}/results`, { query: { f: "json" } }));
        if (found.status === "dismissed") return onClose();
        timer = setTimeout(look, EVERY);
      } catch (error) {
        if (!gone) setTrouble(await told(error));
      }
    };
    let timer = setTimeout(look, 300);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [id]);
  const stop = () => ask("DELETE", `jobs/${id}`).then(onClose, async (error) => setTrouble(await told(error)));
  if (trouble) return html`<${Trouble} error=${trouble}><button type="button" class="button" onClick=${onClose}>${t("close")}</button><//>`;
  return html`<div class="notice" role="status" data-job=${id}><span>${job.message || t("jobs.waiting")}</span>
    <progress max="100" value=${job.progress ?? 0} aria-label=${t("jobs.progress")}></progress>
    <div class="row"><button type="button" class="button" onClick=${stop}>${t("cancel")}</button></div></div>`;
}
