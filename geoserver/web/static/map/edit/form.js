/** Values of a feature as a form shows them, and back. */

import { kindOf } from "../table/cql2.js";

/** Fields that a person may fill in: `[name, property]`. */
export function filledFields(schema) {
  return Object.entries(schema.properties).filter(([, property]) => !property.readOnly && !property["x-ogc-role"]?.endsWith("geometry"));
}

/** The text of an input for a value. */
export function asText(value, property) {
  if (value === null || value === undefined) return "";
  if (kindOf(property) === "list") return value.join(", ");
  if (property.format === "date-time") return localTime(new Date(value));
  return String(value);
}

/** The value that a text means; an empty one is null. */
export function asValue(text, property) {
  const kind = kindOf(property);
  if (text.trim() === "") return null;
  if (kind === "list") return text.split(/[,，、]/).map((part) => part.trim()).filter(Boolean);
  if (kind === "boolean") return text === "true";
  if (property.type === "number" || property.type === "integer") return Number(text);
  return property.format === "date-time" ? new Date(text).toISOString() : text;
}

/** What `datetime-local` takes: the time on this machine's clock. */
function localTime(at) {
  const local = new Date(at.valueOf() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
