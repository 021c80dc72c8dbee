/** Starts the planning page. */

import { render } from "preact";

import { html } from "../map/html.js";
import { Page } from "./page.js";
import { begin } from "./begin.js";

const app = document.getElementById("app");
app.replaceChildren();
render(html`<${Page} />`, app);
begin().then(() => { document.documentElement.dataset.ready = "true"; });
