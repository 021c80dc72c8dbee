/** The form of signing in: asks for a code where the account wants one, then goes where the reader was going. */

import { send } from "../session.js";
import { tell, words } from "./messages.js";

const form = document.getElementById("sign-in");
const code = document.getElementById("code-part");
const { account, password, code: digits } = form.elements;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const place = form.querySelector("[role=alert]");
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  tell(place, null);
  try {
    const values = { account: account.value, password: password.value };
    const signed = await send("POST", "/sign-in", code.hidden ? values : { ...values, code: digits.value.trim() });
    const following = new URL(form.dataset.next, location.href);
    const change = new URL(form.dataset.change, location.href);
    change.searchParams.set("next", form.dataset.next);
    if (document.documentElement.lang === "en" && location.search.includes("lang=")) change.searchParams.set("lang", "en");
    location.assign(signed.mustChangePassword ? change : following);
  } catch (error) {
    const wanted = error.kind === "CodeNeeded" && code.hidden;
    if (wanted) {
      code.hidden = false;
      digits.required = true;
    }
    tell(place, words(error));
    (wanted ? digits : code.hidden ? password : digits).focus();
    button.disabled = false;
  }
});

(account.value ? password : account).focus();
