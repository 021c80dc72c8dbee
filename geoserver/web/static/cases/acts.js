/** What each act asks for; the server's table (grid/cases/life_cycle.py) decides what is allowed. */

/** Fields of the form by act: `!` means it must be filled. */
export const FORMS = {
  verify: ["found!", "reason", "photos"],
  accept: ["reason"],
  file: ["condition", "reason"],
  decline: ["reason!"],
  dispatch: ["department!", "reason"],
  return: ["reason!"],
  handle: ["reason"],
  feedback: ["reason!", "photos"],
  check: ["consistent!", "reason", "photos"],
  close: ["reason"],
  rework: ["reason!"],
  "ask-extension": ["amount!", "reason!"],
  extend: ["engineering", "reason", "photos"],
  "refuse-extension": ["reason!"],
  suspend: ["reason!"],
  resume: ["reason"],
  "self-handle": ["reason!", "photos"],
  void: ["reason!"],
  urge: ["reason"],
  supervise: ["reason!"],
};

/** Acts whose inputs are the same for several cases. */
const TOGETHER = new Set(["accept", "verify", "dispatch", "handle", "check", "close", "urge", "supervise", "resume", "void", "decline"]);
/** Acts that end or take back. */
export const GRAVE = new Set(["void", "decline", "return", "rework", "suspend", "refuse-extension"]);
/** Acts that a case may always have beside what it waits for. */
const ASIDE = new Set(["urge", "supervise", "suspend", "ask-extension"]);

/** What it waits for first, then what is beside it, then what takes back. */
export const inOrder = (acts) => [...acts].sort((one, other) => weight(one) - weight(other));
const weight = (act) => (GRAVE.has(act) ? 2 : ASIDE.has(act) ? 1 : 0);

/** The acts that all of these rows allow. */
export function shared(rows) {
  const [first, ...others] = rows.map((row) => row.acts ?? []);
  return inOrder((first ?? []).filter((act) => TOGETHER.has(act) && others.every((acts) => acts.includes(act))));
}
