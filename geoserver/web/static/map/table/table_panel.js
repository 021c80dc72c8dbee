/** The attribute table: the list twin of a layer. */

import { useEffect, useState } from "preact/hooks";

import { schemaOf, valueText } from "../describe.js";
import { html, icon, iconButton } from "../html.js";
import { number, t } from "../i18n.js";
import { Trouble } from "../results_panel.js";
import { fieldsOf } from "./cql2.js";
import { FilterBuilder } from "./filter_builder.js";

/** Formats that a table is taken away in: `f` → what people call it. */
const FORMATS = [["csv", "CSV"], ["gpkg", "GeoPackage"], ["shp", "Shapefile"], ["geojson", "GeoJSON"], ["fgb", "FlatGeobuf"], ["parquet", "GeoParquet"], ["kml", "KML"], ["dxf", "DXF"]];
/** Pixels from the end of the list at which the next page is asked for. */
const NEAR = 300;

export function TablePanel({ state, actions }) {
  const { table, layers, selected, changes } = state;
  const layer = layers.find((one) => one.id === table.layer);
  const [schema, setSchema] = useState(null);
  useEffect(() => {
    setSchema(null);
    schemaOf(table.layer).then(setSchema, () => undefined);
  }, [table.layer]);
  const revision = changes[table.layer] ?? 0;
  const [seen, setSeen] = useState(revision);
  useEffect(() => {
    if (revision === seen) return;
    setSeen(revision);
    actions.reloadTable();
  }, [revision]);
  return html`
    <section class="card drawer" aria-label=${t("table.title", { layer: layer.title })}>
      <header class="panel-head">
        <h2>${layer.title}</h2>
        <p class="sub" role="status">${table.count === null ? "" : t("table.count", { count: number.format(table.count) })}</p>
        <label class="check"><input type="checkbox" checked=${table.within} onChange=${(event) => actions.withinView(event.target.checked)} />${t("table.within")}</label>
        <button type="button" class="ghost" aria-expanded=${String(table.building)} onClick=${() => actions.buildFilter(!table.building)}>
          ${icon("filter")}${t("filter.title")}
        </button>
        <button type="button" class="ghost" onClick=${() => actions.copyText(actions.tableAddress("json"))}>${icon("copy")}${t("table.address")}</button>
        <${Export} actions=${actions} />
        ${iconButton({ name: "close", label: t("close"), onClick: actions.closeTable, className: "plain" })}
      </header>
      ${table.building && schema && html`<${FilterBuilder} key=${table.layer} table=${table} schema=${schema} actions=${actions} />`}
      ${table.error
        ? html`<${Trouble} error=${table.error} onRetry=${actions.reloadTable} />`
        : html`<${Rows} table=${table} schema=${schema} layer=${layer} selected=${selected} actions=${actions} />`}
    </section>
  `;
}

function Export({ actions }) {
  const save = (event) => {
    const format = event.target.value;
    event.target.value = "";
    if (format) location.assign(actions.tableAddress(format === "geojson" ? "json" : format));
  };
  return html`
    <label class="export ghost">${icon("download")}
      <select aria-label=${t("table.export")} onChange=${save}>
        <option value="">${t("table.export")}</option>
        ${FORMATS.map(([format, name]) => html`<option key=${format} value=${format}>${name}</option>`)}
      </select>
    </label>
  `;
}

function Rows({ table, schema, layer, selected, actions }) {
  const onScroll = ({ currentTarget: box }) => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR && actions.moreRows();
  if (!schema || (table.loading && table.rows.length === 0)) {
    return html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i><i></i></div>`;
  }
  if (table.rows.length === 0) return html`<p class="hint">${table.filter || table.within ? t("table.none") : t("layers.empty")}</p>`;
  const titled = layer.title_field;
  const fields = fieldsOf(schema).filter(([name]) => name !== "id" && name !== titled);
  return html`
    <div class="rows" tabindex="0" role="region" aria-label=${t("table.rows")} onScroll=${onScroll}>
      <table>
        <thead><tr>
          ${titled
            ? html`<${Head} name=${titled} property=${schema.properties[titled] ?? {}} sort=${table.sort} actions=${actions} />`
            : html`<th scope="col">${t("table.feature")}</th>`}
          ${fields.map(([name, property]) => html`<${Head} key=${name} name=${name} property=${property} sort=${table.sort} actions=${actions} />`)}
        </tr></thead>
        <tbody>
          ${table.rows.map((feature) => html`
            <tr key=${feature.id} aria-selected=${String(selected?.key === `${table.layer}/${feature.id}`)}
              class=${selected?.key === `${table.layer}/${feature.id}` ? "chosen" : ""} onClick=${() => actions.pickRow(table.layer, feature)}>
              <th scope="row"><button type="button" class="row-pick">${feature.properties[titled] ?? `#${feature.id}`}</button></th>
              ${fields.map(([name, property]) => html`<td key=${name} class=${property.type === "number" || property.type === "integer" ? "figure" : ""}>${cell(feature.properties[name], property)}</td>`)}
            </tr>
          `)}
        </tbody>
      </table>
      ${table.loading && html`<p class="hint" role="status">${t("loading")}</p>`}
    </div>
  `;
}

function Head({ name, property, sort, actions }) {
  const sorted = sort?.field === name ? (sort.down ? "descending" : "ascending") : "none";
  const sortable = property.type !== "array";
  const title = property.title ?? name;
  return html`
    <th scope="col" aria-sort=${sortable ? sorted : undefined}>
      ${sortable
        ? html`<button type="button" class="sort" onClick=${() => actions.sortTable(name)}>${title}${sorted !== "none" && icon(sorted === "ascending" ? "up" : "down")}</button>`
        : title}
    </th>
  `;
}

const cell = (value, property) => (value === null || value === undefined ? "" : valueText(value, property));
