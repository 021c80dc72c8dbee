/** Starts the dispatcher's page. */

import { render } from "preact";

import { html } from "../map/html.js";
import { listenToKeys } from "./keys.js";
import { Page } from "./page.js";
import { begin } from "./state.js";

const app = document.getElementById("app");
app.replaceChildren();
render(html`<${Page} />`, app);
listenToKeys();
begin().then(() => { document.documentElement.dataset.ready = "true"; });
