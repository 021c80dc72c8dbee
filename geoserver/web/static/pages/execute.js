/** Runs a process from its page and shows the answer. */

import { request } from "./session.js";

const form = document.querySelector("form[data-execution]");

function linkToJob(status, location) {
  const link = document.createElement("a");
  link.href = `${form.dataset.jobs}/${encodeURIComponent(location.split("/").pop())}`;
  link.textContent = form.dataset.job;
  status.replaceChildren(link);
}

async function run(event) {
  event.preventDefault();
  const [status, answer] = [form.querySelector("[role=status]"), form.querySelector("pre")];
  const asynchronous = event.submitter?.value === "async";
  status.textContent = form.dataset.running;
  answer.hidden = true;
  try {
    const body = JSON.stringify(JSON.parse(form.querySelector("textarea").value));
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    if (asynchronous) headers.Prefer = "respond-async";
    const response = await request(form.dataset.execution, { method: "POST", headers, body });
    const text = await response.text();
    status.textContent = response.ok ? "" : `${form.dataset.failed} (${response.status})`;
    const job = response.status === 201 && response.headers.get("Location");
    if (job) linkToJob(status, job);
    answer.textContent = pretty(text);
    answer.hidden = text === "";
  } catch (error) {
    status.textContent = `${form.dataset.failed}: ${error.message}`;
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

if (form) {
  form.hidden = false;
  form.addEventListener("submit", run);
}
