/** What went wrong, in the reader's language, and the question before what cannot be undone. */

const texts = document.getElementById("messages").dataset;

/** The reader's words for what the server refused. */
export function words(error) {
  return error.message || texts[error.kind] || texts.other;
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
