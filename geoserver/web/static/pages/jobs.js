/** Follows unfinished jobs, and cancels one. */

import { request } from "./session.js";

const EVERY = 3000;

async function follow() {
  const active = document.querySelector("[data-active]");
  if (!active) return;
  const response = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (response?.ok) {
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    document.querySelector("main").replaceChildren(...page.querySelector("main").childNodes);
    showCancel();
  }
  setTimeout(follow, EVERY);
}

function showCancel() {
  for (const button of document.querySelectorAll("[data-cancel]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      await request(button.dataset.cancel, { method: "DELETE" });
      location.reload();
    });
  }
}

showCancel();
setTimeout(follow, EVERY);
