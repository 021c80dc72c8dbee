/** The report of a red line or a check as a job: asked for, followed, downloaded. */

import { language } from "../map/i18n.js";
import { ask, base } from "../work/api.js";
import { get, set, told } from "./state.js";

const EVERY = 1000;

/** Ask for the report; `subject` is {redline} or {check}. */
export async function askReport(subject, format) {
  set({ report: { format, progress: 0, message: "", trouble: null, href: null } });
  try {
    const inputs = { ...subject, format, language: language === "en" ? "en-US" : "zh-CN" };
    const { jobID } = await ask("POST", "processes/redline-report/execution", { json: { inputs }, headers: { Prefer: "respond-async" } });
    set({ report: { ...get().report, job: jobID } });
    await followed(jobID);
  } catch (error) {
    if (get().report) set({ report: { ...get().report, trouble: await told(error) } });
  }
}

async function followed(job) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, EVERY));
    if (get().report?.job !== job) return;
    const found = await ask("GET", `jobs/${job}`, { query: { f: "json" } });
    if (get().report?.job !== job) return;
    set({ report: { ...get().report, progress: found.progress ?? 0, message: found.message ?? "" } });
    if (found.status === "successful") return set({ report: { ...get().report, progress: 100, href: new URL(`jobs/${job}/results`, base).href } });
    if (found.status === "failed" || found.status === "dismissed") return ask("GET", `jobs/${job}/results`);
  }
}

export async function cancelReport() {
  const { job } = get().report ?? {};
  set({ report: null });
  if (job) await ask("DELETE", `jobs/${job}`).catch(() => null);
}
