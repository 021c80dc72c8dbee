/** Starts the pages of administration. */

import { render } from "preact";

import { html } from "../map/html.js";
import { begin } from "./begin.js";
import { Page } from "./page.js";

const app = document.getElementById("app");
app.replaceChildren();
render(html`<${Page} />`, app);
begin().then(() => { document.documentElement.dataset.ready = "true"; });
