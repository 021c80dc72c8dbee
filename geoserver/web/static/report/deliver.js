/** Sends the reports that wait, one after the other, each once: its key makes a repeated one the same. */

import { Refusal, ask, run } from "../work/api.js";
import * as outbox from "./outbox.js";
import { inBase64 } from "./photos.js";

const PATIENCE = 90_000;
// Answers "done, but the first answer is not kept" after which nothing better will come.
const MOST_CONFLICTS = 3;

/** Send what waits, as `account` (null: the public); `changed` is called after each step. Pages take turns. */
export function deliverAll(account, changed) {
  const work = () => inTurn(account, changed);
  if (!navigator.locks) return work();
  return navigator.locks.request("citymap-report-delivery", { ifAvailable: true }, (lock) => (lock ? work() : null));
}

async function inTurn(account, changed) {
  const waiting = (await outbox.all()).filter(({ state }) => state === "queued" || state === "sending").reverse();
  for (const report of waiting) {
    const stop = await deliver(report, account, changed);
    if (stop) break;
  }
}

/** Send one report; true where the others need not be tried now. */
async function deliver(report, account, changed) {
  const via = report.via ?? (account ? `account ${account}` : "public");
  const set = async (values) => {
    Object.assign(report, values);
    await outbox.keep(report);
    changed();
  };
  if (via !== "public" && via !== `account ${account}`) {
    await set({ state: "queued", via, trouble: { signIn: via.slice("account ".length) } });
    return false;
  }
  await set({ state: "sending", via, trouble: null });
  try {
    const answer = via === "public" ? await sendAsPublic(report) : await sendAsAccount(report, set);
    // The server has it: the pictures need not stay on the phone.
    await set({ state: "sent", answer, sent: Date.now(), photos: report.photos.map(({ id }) => ({ id })) });
    return false;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return after(error, report, set);
  }
}

/** What a refusal means: wait, sign in, or back to the writer. */
async function after(error, report, set) {
  const tries = report.tries + 1;
  if (error.status === 409 && tries >= MOST_CONFLICTS) {
    await set({ state: "sent", answer: { case: null }, sent: Date.now(), photos: report.photos.map(({ id }) => ({ id })) });
    return false;
  }
  if (error.signInNeeded && report.via !== "public") {
    await set({ state: "queued", tries, trouble: { ...error.told, signIn: report.via.slice("account ".length) } });
    return true;
  }
  const passing = error.passing || error.status === 409;
  await set({ state: passing ? "queued" : "refused", tries, trouble: error.told });
  return passing;
}

const about = (report) => ({
  accuracy: report.position.accuracy ?? undefined,
  kind: report.service.kind,
  class_code: report.service.code,
  separate: report.separate,
});

async function sendAsPublic(report) {
  const { lon, lat } = report.position;
  const photos = [];
  for (const { blob } of report.photos) photos.push(await inBase64(blob));
  const json = { ...about(report), lon, lat, description: report.description, name: report.name, phone: report.phone, photos };
  return ask("POST", "report/cases", { json, headers: { "Idempotency-Key": report.key }, alone: true, patience: PATIENCE });
}

async function sendAsAccount(report, set) {
  try {
    return await uploadAndReport(report, set);
  } catch (error) {
    // Uploaded long ago and gone since: once more. What was reported with them is answered by its key before.
    if (error.status !== 404 || !report.photos.some(({ upload }) => upload)) throw error;
    await set({ photos: report.photos.map((photo) => ({ ...photo, upload: null })) });
    return uploadAndReport(report, set);
  }
}

async function uploadAndReport(report, set) {
  for (const photo of report.photos) {
    if (photo.upload) continue;
    const options = { query: { name: `${photo.id}.jpg` }, body: photo.blob, headers: { "Content-Type": "application/octet-stream" }, patience: PATIENCE };
    const { id } = await ask("POST", "uploads", options);
    await set({ photos: report.photos.map((one) => (one.id === photo.id ? { ...one, upload: id } : one)) });
  }
  const { lon, lat } = report.position;
  const inputs = { ...about(report), position: [lon, lat], description: report.description || undefined, photos: report.photos.map(({ upload }) => upload) };
  return run("report-case", inputs, { headers: { "Idempotency-Key": report.key }, patience: PATIENCE });
}
