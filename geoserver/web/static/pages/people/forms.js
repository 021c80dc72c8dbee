/** Forms and buttons that say what they send (`data-send="POST /path"`) and what becomes of the answer. */

import { fill } from "./fill.js";
import { refresh } from "./lists.js";
import { confirmed, tell, words } from "./messages.js";
import { send } from "../session.js";

function body(form) {
  const values = {};
  for (const field of form.elements) {
    if (!field.name || field.matches(":disabled")) continue;
    if ("each" in field.dataset) {
      values[field.name] ??= [];
      if (field.type === "hidden" || field.checked) values[field.name].push(field.value);
      continue;
    }
    if (field.type === "checkbox") values[field.name] = field.checked ? JSON.parse(field.dataset.json) : null;
    else if (field.type === "number") values[field.name] = Number(field.value);
    else values[field.name] = field.value;
  }
  return values;
}

/** Show, hide, fill anew, as the element says. */
async function settle(element, answer) {
  const { show, hide, refresh: lists = "", then } = element.dataset;
  if (then === "reload") return location.reload();
  if (then === "go") return location.assign(answer.location);
  if (hide) document.getElementById(hide).hidden = true;
  if (show) {
    const place = document.getElementById(show);
    fill(place, answer);
    place.hidden = false;
    place.focus();
  }
  for (const id of lists.split(" ").filter(Boolean)) await refresh(id);
}

/** Send what the element says; whether it was done. `place` is told what was not. */
export async function act(element, values, place) {
  const [method, path] = element.dataset.send.split(" ");
  tell(place, null);
  try {
    await settle(element, await send(method, path, values));
    return true;
  } catch (error) {
    tell(place, words(error));
    return false;
  }
}

async function submitted(event) {
  const form = event.target.closest("form[data-send]");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  const done = await act(form, body(form), form.querySelector("[role=alert]"));
  button.disabled = false;
  if (!done) return;
  if ("reset" in form.dataset) form.reset();
  form.dispatchEvent(new CustomEvent("done"));
}

async function clicked(event) {
  const button = event.target.closest("button[data-send]");
  if (!button || (button.dataset.confirm && !(await confirmed(button.dataset.confirm)))) return;
  button.disabled = true;
  await act(button, undefined, document.getElementById("trouble"));
  button.disabled = false;
}

document.addEventListener("submit", submitted);
document.addEventListener("click", clicked);
