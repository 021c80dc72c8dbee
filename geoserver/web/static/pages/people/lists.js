/** Tables and choices that are filled from the server's JSON. */

import { fill } from "./fill.js";
import { send } from "../session.js";
import { tell, words } from "./messages.js";

const asked = new Map();

/** One request for all that show parts of the same answer at the same time. */
function answer(path) {
  if (!asked.has(path)) asked.set(path, send("GET", path).finally(() => asked.delete(path)));
  return asked.get(path);
}

/** Rows of a table from an answer, in place of those before or after them. */
export function showRows(table, rows, { append = false } = {}) {
  const [row, empty] = ["row", "empty"].map((part) => document.querySelector(`template[data-${part}="${table.id}"]`));
  const made = rows.map((values) => {
    const copy = row.content.cloneNode(true);
    fill(copy, values);
    return copy;
  });
  const opened = openedRows(table);
  if (!append) table.tBodies[0].replaceChildren(...(made.length ? made : [empty.content.cloneNode(true)]));
  else table.tBodies[0].append(...made);
  for (const [head, details] of rowDetails(table)) if (opened.has(head)) details.open = true;
}

const rowDetails = (table) => [...table.querySelectorAll("tbody details")].map((one) => [one.closest("tr").cells[0].textContent, one]);

/** The rows whose details the reader has open. */
const openedRows = (table) => new Set(rowDetails(table).filter(([, details]) => details.open).map(([head]) => head));

async function showOptions(select) {
  const found = (await answer(select.dataset.options))[select.dataset.member];
  const { option, label = option, only } = select.dataset;
  const chosen = select.value;
  for (const before of [...select.options]) if (before.value) before.remove();
  for (const one of found) if (!only || one[option] === only) select.append(new Option(one[label], one[option]));
  if ([...select.options].some((one) => one.value === chosen)) select.value = chosen;
}

/** Fill the list or the choice of that id anew. */
export async function refresh(id) {
  const place = document.getElementById(id);
  if (!place) return;
  try {
    if (place.dataset.options) await showOptions(place);
    else showRows(place, (await answer(place.dataset.list))[place.dataset.member]);
  } catch (error) {
    tell(document.getElementById("trouble"), words(error));
  }
}

/** Fill everything, the choices first: rows take names from them. */
export async function refreshAll() {
  await Promise.all([...document.querySelectorAll("[data-options]")].map((select) => refresh(select.id)));
  await Promise.all([...document.querySelectorAll("table[data-list]")].map((table) => refresh(table.id)));
}
