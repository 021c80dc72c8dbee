/** The leader's view: numbers, the map of what they count, and the case, each one click from the other. */

import { render } from "preact";
import { html } from "../map/html.js";
import { Page } from "./page.js";
import { actions, start, store } from "./state.js";

const app = document.getElementById("app");
app.replaceChildren();
render(html`<${Page} store=${store} actions=${actions} />`, app);
store.subscribe(({ phase, busy }) => {
  document.documentElement.dataset.ready = String(phase === "ready" && !busy);
});
start();
