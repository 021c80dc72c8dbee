/** A process that may take its time: begun as a job, and followed to its result. */

import { ask } from "../work/api.js";

const EVERY = 700;

/** The result of a process that runs as a job. Throws Refusal. */
export async function runAsJob(process, inputs) {
  const { jobID } = await ask("POST", `processes/${process}/execution`, { json: { inputs }, headers: { Prefer: "respond-async" } });
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, EVERY));
    const { status } = await ask("GET", `jobs/${jobID}`, { query: { f: "json" } });
    if (!["accepted", "running"].includes(status)) return ask("GET", `jobs/${jobID}/results`, { query: { f: "json" } });
  }
}
