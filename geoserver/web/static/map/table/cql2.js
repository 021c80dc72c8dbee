/** CQL2 text (OGC 21-065r2) of conditions that a reader puts together. */

/** What may be asked of each kind of field, the first being the usual one. */
const OPERATORS = {
  domain: ["is", "isnt", "empty", "filled"],
  text: ["has", "begins", "is", "isnt", "empty", "filled"],
  number: ["is", "isnt", "less", "most", "more", "least", "empty", "filled"],
  time: ["since", "before", "empty", "filled"],
  boolean: ["is"],
  list: ["holds"],
};
const COMPARISONS = { is: "=", isnt: "<>", less: "<", most: "<=", more: ">", least: ">=", since: ">=", before: "<" };
/** Operators that need no value. */
export const ALONE = new Set(["empty", "filled"]);

/** The kind of a field by its schema. */
export function kindOf(property) {
  if (property["x-citymap-domain"]) return "domain";
  if (property.type === "number" || property.type === "integer") return "number";
  if (property.type === "boolean") return "boolean";
  if (property.type === "array") return "list";
  return ["date", "date-time"].includes(property.format) ? "time" : "text";
}

export const operatorsOf = (property) => OPERATORS[kindOf(property)];

/** Fields that conditions may name: `[name, property]`. */
export function fieldsOf(schema) {
  return Object.entries(schema?.properties ?? {}).filter(([, property]) => !property["x-ogc-role"]?.endsWith("geometry"));
}

/** One condition; null while it lacks a value. */
export function conditionText({ field, operator, value }, property) {
  const name = `"${field.replaceAll('"', '""')}"`;
  if (operator === "empty") return `${name} IS NULL`;
  if (operator === "filled") return `${name} IS NOT NULL`;
  if (value === "" || value === undefined) return null;
  const kind = kindOf(property);
  if (operator === "has" || operator === "begins") {
    const pattern = value.replace(/[\\%_]/g, "\\$&");
    return `CASEI(${name}) LIKE CASEI(${quoted(operator === "has" ? `%${pattern}%` : `${pattern}%`)})`;
  }
  if (operator === "holds") return `A_CONTAINS(${name}, (${quoted(value)}))`;
  return literalOf(kind, property, value, (literal) => `${name} ${COMPARISONS[operator]} ${literal}`);
}

function literalOf(kind, property, value, use) {
  if (kind === "number") return Number.isFinite(Number(value)) ? use(String(Number(value))) : null;
  if (kind === "boolean") return use(value === "true" ? "TRUE" : "FALSE");
  if (kind === "time") return use(property.format === "date" ? `DATE('${value}')` : `TIMESTAMP('${new Date(`${value}T00:00`).toISOString()}')`);
  return use(property.type === "integer" ? String(Number(value)) : quoted(value));
}

const quoted = (text) => `'${String(text).replaceAll("'", "''")}'`;

/** All conditions that are complete, joined by `AND` or `OR`; empty where there is none. */
export function filterText(conditions, joint, schema) {
  const parts = conditions.map((condition) => conditionText(condition, schema.properties[condition.field])).filter(Boolean);
  return parts.length > 1 ? parts.map((part) => `(${part})`).join(` ${joint} `) : (parts[0] ?? "");
}
