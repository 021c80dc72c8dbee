/** Administration: lists and forms, and the audit log with its filters. */

import "./forms.js";
import { refresh, refreshAll, showRows } from "./lists.js";
import { tell, words } from "./messages.js";
import { send } from "../session.js";

const filter = document.getElementById("audit-filter");
const later = document.getElementById("audit-later");
const table = document.getElementById("audit");
let following = null;

/** The filter as parameters; local times become instants. */
function parameters() {
  const given = Object.fromEntries([...new FormData(filter)].filter(([, value]) => value));
  const { begin, end, ...texts } = given;
  const instant = (value) => (value ? new Date(value).toISOString() : "..");
  return new URLSearchParams({ ...texts, ...(begin || end ? { datetime: `${instant(begin)}/${instant(end)}` } : {}) });
}

async function readAudit(query, append) {
  const trouble = document.getElementById("trouble");
  tell(trouble, null);
  try {
    const found = await send("GET", `/audit?${query}`);
    showRows(table, found.entries, { append });
    const next = found.links.find((link) => link.rel === "next");
    following = next ? new URL(next.href).searchParams : null;
    later.hidden = following === null;
  } catch (error) {
    tell(trouble, words(error));
  }
}

if (filter) {
  table.removeAttribute("data-list");
  filter.addEventListener("submit", (event) => {
    event.preventDefault();
    readAudit(parameters(), false);
  });
  later.addEventListener("click", () => readAudit(following, true));
  readAudit(parameters(), false);
}
document.getElementById("give")?.addEventListener("done", () => refresh("accounts"));
refreshAll();
