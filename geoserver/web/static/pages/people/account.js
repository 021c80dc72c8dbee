/** One's own account. After a forced change of the password the reader goes where they were going. */

import "./forms.js";
import { refreshAll } from "./lists.js";
import { tell } from "./messages.js";

const change = document.getElementById("change");
if (change) {
  const again = document.getElementById("again");
  const fresh = document.getElementById("new");
  const check = () => again.setCustomValidity(again.value === fresh.value ? "" : change.dataset.differs);
  again.addEventListener("input", check);
  fresh.addEventListener("input", check);
  change.addEventListener("done", () => {
    change.reset();
    tell(change.querySelector("[role=status]"), change.dataset.done);
    const { next } = document.querySelector("main [data-next]")?.dataset ?? {};
    if (next) location.assign(new URL(next, location.href));
    else refreshAll();
  });
}
refreshAll();
