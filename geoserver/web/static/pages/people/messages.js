/** What went wrong, in the reader's language, and the question before what cannot be undone. */

const texts = document.getElementById("messages").dataset;
const chinese = document.documentElement.lang.startsWith("zh");

/** The reader's words for what the server refused. */
export function words(error) {
  const ours = texts[String(error.kind).toLowerCase()] ?? texts[String(error.code).toLowerCase()] ?? texts.other;
  const exact = chinese ? error.zh : error.message;
  const general = texts[String(error.kind).toLowerCase()] && !error.zh;
  if (exact && !general) return exact;
  return error.message && !texts[String(error.kind).toLowerCase()] ? `${ours} (${error.message})` : ours;
}

/** Show a text in its place, or take it away. */
export function tell(place, text) {
  if (!place) return;
  place.textContent = text ?? "";
  place.hidden = !text;
}

/** Whether the reader says yes. */
export function confirmed(question) {
  const dialog = document.getElementById("confirm");
  dialog.querySelector("p").textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}
