/** Fills elements that name what they show: data-text, data-value, data-image, data-time, data-if, data-unless. */

import { permissionItem } from "./permit.js";

const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

/** Each `{name}` in a text replaced by that value. */
export const filled = (text, values, escape = String) => text.replace(/\{(\w+)\}/g, (_, name) => escape(values[name] ?? ""));

const written = (value) => (Array.isArray(value) ? value.join("\n") : value && typeof value === "object" ? JSON.stringify(value) : String(value ?? ""));

const MANNERS = {
  text: (element, value) => { element.textContent = (element.classList.contains("visually-hidden") ? " " : "") + named(element, written(value)); },
  value: (element, value) => { element.value = written(value); },
  image: (element, value) => { element.src = value; },
  time: (element, value) => {
    if (!value) return;
    element.dateTime = element.title = value;
    element.textContent = format.format(new Date(value));
  },
  if: (element, value) => { if (!value) element.remove(); },
  unless: (element, value) => { if (value) element.remove(); },
  count: (element, value) => { element.textContent = value.length; },
  permissions: (element, values, role) => element.append(...values.map((one) => permissionItem(one, role))),
};

/** The title that a select has for an id, such as a role's. */
function named(element, value) {
  const options = document.getElementById(element.dataset.nameOf ?? "")?.options ?? [];
  return [...options].find((option) => option.value && option.value === value)?.textContent ?? value;
}

/** Fill all elements within `place` from `values`. */
export function fill(place, values) {
  for (const [manner, show] of Object.entries(MANNERS)) {
    for (const element of place.querySelectorAll(`[data-${manner}]`)) {
      const name = element.dataset[manner];
      if (name in values) show(element, values[name], values);
    }
  }
  for (const button of place.querySelectorAll("[data-send]")) {
    button.dataset.send = filled(button.dataset.send, values, encodeURIComponent);
    if (button.dataset.confirm) button.dataset.confirm = filled(button.dataset.confirm, values);
  }
}
