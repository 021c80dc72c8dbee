/** A feature's attributes in words: titles, units and class names from the collection's schema. */

import { getJson } from "./api.js";
import { language, number, t } from "./i18n.js";

const schemas = new Map();

/** The schema of a collection; asked for once, and again after a failure. */
export function schemaOf(layer) {
  if (!schemas.has(layer)) {
    const asked = getJson(`collections/${encodeURIComponent(layer)}/schema`, { f: "json" });
    asked.catch(() => schemas.delete(layer));
    schemas.set(layer, asked);
  }
  return schemas.get(layer);
}

/** Rows `{name, title, text}` for every attribute that has a value, in the schema's order. */
export function describe(feature, schema) {
  const declared = schema?.properties ?? {};
  const names = [...new Set([...Object.keys(declared), ...Object.keys(feature.properties ?? {})])];
  return names
    .filter((name) => has(feature.properties?.[name]))
    .map((name) => ({
      name,
      title: declared[name]?.title ?? name,
      text: valueText(feature.properties[name], declared[name] ?? {}),
    }));
}

const has = (value) => value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && !value.length);

/** A value in words. */
export function valueText(value, property) {
  if (Array.isArray(value)) return value.map((item) => valueText(item, property.items ?? {})).join(language === "en" ? ", " : "、");
  const named = className(value, property);
  if (named) return named;
  if (typeof value === "boolean") return t(value ? "value.yes" : "value.no");
  const unit = property["x-ogc-unit"];
  if (typeof value === "number") return unit ? `${number.format(value)} ${unit}` : plainNumber(value, property);
  if (property.format === "date-time") return moment(value);
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

// A year or a code is no quantity: no thousands separators where no unit is declared.
const plainNumber = (value, property) => (property.type === "integer" ? String(value) : number.format(value));

function moment(value) {
  const at = new Date(value);
  return Number.isNaN(at.valueOf()) ? String(value) : at.toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
}

/** A code's meaning: the server lists it under `x-citymap-domain`. */
function className(value, property) {
  return property["x-citymap-domain"]?.[String(value)];
}
