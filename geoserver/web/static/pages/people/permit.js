/** The form by which a role is let do something, and the list of what a role may do. */

const form = document.getElementById("permit");

/** Only what fits the kind: layers have actions and levels, processes are executed. */
function fit() {
  const kind = form.elements.kind.value;
  for (const part of form.querySelectorAll("[data-kind]")) part.hidden = part.disabled = part.dataset.kind !== kind;
  form.elements.visibility.parentElement.hidden = kind === "process";
  form.elements.resource.setAttribute("list", kind === "process" ? "permit-processes" : "permit-collections");
}

if (form) {
  form.elements.kind.addEventListener("change", fit);
  fit();
}

/** One permission of a role in the reader's words, with a button that takes it away where the reader may. */
export function permissionItem(one, role) {
  const words = document.getElementById("permission-words").dataset;
  const word = (part, value) => words[`${part}${value[0].toUpperCase()}${value.slice(1)}`] ?? value;
  const item = document.createElement("li");
  const resource = document.createElement("code");
  resource.textContent = one.resource;
  const level = one.kind === "collection" ? ` · ${words.permitLevel} ${word("visibility", one.visibility)}` : "";
  const within = one.within === "everywhere" ? "" : ` · ${word("within", one.within)}`;
  item.append(`${word("kind", one.kind)} `, resource, ` ${word("action", one.action)}${level}${within} `);
  if (words.take && one.kind !== "office" && !role.kept_apart) item.append(takingButton(one, role, words));
  return item;
}

function takingButton(one, role, words) {
  const button = document.createElement("button");
  const asked = new URLSearchParams({ role: role.id, kind: one.kind, resource: one.resource, action: one.action });
  button.type = "button";
  button.className = "button button-small";
  button.textContent = words.take;
  button.setAttribute("aria-label", `${words.take} ${role.id} ${one.resource} ${one.action}`);
  button.dataset.send = `DELETE /admin/permissions?${asked}`;
  button.dataset.confirm = words.confirm.replace("{role}", role.id);
  button.dataset.refresh = "roles";
  return button;
}
