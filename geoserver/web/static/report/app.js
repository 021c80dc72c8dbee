/** Starts the report page and its service worker. */

import { render } from "preact";

import { html } from "../map/html.js";
import { language } from "../map/i18n.js";
import { base } from "../work/api.js";
import { Page } from "./page.js";
import { begin, store } from "./state.js";

/** The worker that opens the page without a network; a newer one waits until the reader wants it. */
async function keepOffline() {
  if (!("serviceWorker" in navigator)) return;
  const controlled = Boolean(navigator.serviceWorker.controller);
  navigator.serviceWorker.addEventListener("controllerchange", () => controlled && location.reload());
  try {
    const scope = new URL("report", base).pathname;
    const registration = await navigator.serviceWorker.register(new URL("report/worker.js", base), { scope });
    const tell = (worker) => worker && controlled && store.set({ update: worker });
    tell(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const fresh = registration.installing;
      fresh?.addEventListener("statechange", () => fresh.state === "installed" && tell(fresh));
    });
    await navigator.serviceWorker.ready;
    document.documentElement.dataset.offline = "ready";
  } catch {
    // Without a worker the page works as any other: with a network.
  }
}

document.documentElement.lang = language;
const app = document.getElementById("app");
app.replaceChildren();
render(html`<${Page} />`, app);
begin().then(() => { document.documentElement.dataset.ready = "true"; });
keepOffline();
