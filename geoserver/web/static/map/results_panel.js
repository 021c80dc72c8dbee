/** What was found at a spot, as a list: the readable twin of the highlighted shape. */

import { useEffect, useState } from "preact/hooks";

import { base, getJson } from "./api.js";
import { describe, schemaOf } from "./describe.js";
import { formatPosition } from "./geometry.js";
import { html, icon, iconButton } from "./html.js";
import { t } from "./i18n.js";

export function ResultsPanel({ results, selected, layers, changes, asOf, actions }) {
  const titles = Object.fromEntries(layers.map((layer) => [layer.id, layer]));
  return html`
    <section class="card panel results" aria-label=${t("identify.title")} aria-live="polite">
      <header class="panel-head">
        <div>
          <h2>${t("identify.title")}</h2>
          ${results.place && html`<p class="sub">${formatPosition(results.place)}</p>`}
        </div>
        ${iconButton({ name: "close", label: t("close"), onClick: actions.closeResults, className: "plain" })}
      </header>
      <div class="panel-body">
        ${results.found.length === 0
          ? html`<p class="hint">${t("identify.none")}</p>`
          : html`<ul class="found">
              ${results.found.map((item) => html`
                <${Item} key=${item.key} item=${item} layer=${titles[item.layer]} open=${selected?.key === item.key} revision=${changes[item.layer] ?? 0} asOf=${asOf} actions=${actions} />
              `)}
            </ul>`}
      </div>
    </section>
  `;
}

function Item({ item, layer, open, revision, asOf, actions }) {
  const title = item.title ?? item.properties?.[layer?.title_field] ?? layer?.title ?? item.layer;
  return html`
    <li class=${open ? "item open" : "item"} data-feature=${item.key}>
      <button type="button" class="item-head" aria-expanded=${String(open)} onClick=${() => actions.select(open ? null : item)}>
        <span class="item-title">${title}</span>
        <span class="item-layer">${layer?.title ?? item.layer}</span>
      </button>
      ${open && html`<${Attributes} item=${item} layer=${layer} revision=${revision} asOf=${asOf} actions=${actions} />`}
    </li>
  `;
}

function Attributes({ item, layer, revision, asOf, actions }) {
  const [state, setState] = useState({ loading: true });
  const [attempt, setAttempt] = useState(0);
  const [methods, setMethods] = useState([]);
  useEffect(() => {
    setMethods([]);
    if (layer?.editable) actions.allowed(item.layer, item.id).then(setMethods);
  }, [item.key]);
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => (before.rows && attempt === 0 && revision ? before : { loading: true }));
    const path = `collections/${encodeURIComponent(item.layer)}/items/${encodeURIComponent(item.id)}`;
    Promise.all([getJson(path, { f: "json", ...(asOf ? { "as-of": asOf } : {}) }, abort.signal), schemaOf(item.layer)]).then(
      ([feature, schema]) => {
        if (abort.signal.aborted) return;
        // A street found by name is all its pieces; its attributes are those of the first.
        const shape = item.live || item.geometries?.length > 1 ? { type: "GeometryCollection", geometries: item.geometries } : feature.geometry;
        setState({ shape, rows: describe(feature, schema) });
        actions.highlight(shape);
      },
      (error) => abort.signal.aborted || setState({ error }),
    );
    return () => abort.abort();
  }, [item.key, attempt, revision, asOf]);

  if (state.loading) return html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i><i></i></div>`;
  if (state.error) return html`<${Trouble} error=${state.error} onRetry=${() => setAttempt(attempt + 1)} />`;
  return html`
    <dl class="attributes">
      ${state.rows.map((row) => html`<div key=${row.name} data-field=${row.name}><dt>${row.title}</dt><dd>${row.text}</dd></div>`)}
    </dl>
    ${state.rows.length === 0 && html`<p class="hint">${t("identify.bare")}</p>`}
    <div class="row-buttons">
      <button type="button" class="ghost" onClick=${() => actions.zoomTo(state.shape)}>${icon("zoom")}${t("identify.zoom")}</button>
      ${!asOf && methods.includes("PATCH") && html`<button type="button" class="ghost" onClick=${() => actions.editFeature(item.layer, item.id)}>${icon("edit")}${t("edit.open")}</button>`}
    </div>
  `;
}

/** An error: what happened, what to do, the number to give to those who help. */
export function Trouble({ error, onRetry }) {
  return html`
    <div class="trouble" role="alert">
      <p><strong>${error.message}</strong></p>
      ${error.cure && html`<p>${error.cure}</p>`}
      ${error.status === 401 && html`<a class="ghost" href=${new URL("sign-in", base).href} target="_blank" rel="noopener">${t("error.signIn")}</a>`}
      ${error.lite && html`<a class="ghost" href=${new URL("lite", base).href}>${t("page.lite")}</a>`}
      ${error.requestId && html`<p class="sub">${t("error.request", { id: error.requestId })}</p>`}
      ${onRetry && html`<button type="button" class="ghost" onClick=${onRetry}>${t("retry")}</button>`}
    </div>
  `;
}
