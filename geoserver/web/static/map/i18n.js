/** Interface texts in the page's language, delivered with the page. */

const strings = JSON.parse(document.getElementById("strings").textContent);

export const language = document.documentElement.lang;

/** The text under `key`, with `{name}` replaced from `values`. */
export function t(key, values = {}) {
  const text = strings[key];
  if (text === undefined) throw new Error(`no text ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** MapLibre's own control texts. */
export const mapTexts = Object.fromEntries(
  Object.entries(strings)
    .filter(([key]) => key.startsWith("maplibre."))
    .map(([key, text]) => [key.slice("maplibre.".length), text]),
);

export const number = new Intl.NumberFormat(language, { maximumFractionDigits: 6 });
