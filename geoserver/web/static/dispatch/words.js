/** Instants, spans, speeds and names as dispatchers read them. */

import { language, t } from "../map/i18n.js";
import { get } from "./store.js";

const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(language, { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });

export const time = (instant) => clock.format(new Date(instant));
/** The time of day, with the day where it is another. */
export function moment(instant) {
  if (!instant) return "";
  const at = new Date(instant);
  return at.toDateString() === new Date().toDateString() ? clock.format(at) : day.format(at);
}
export const count = (value) => whole.format(value);
export const speed = (value) => (typeof value === "number" ? t("speed", { value: whole.format(value) }) : "—");
export const length = (metres) => (metres < 1000 ? t("metres", { value: whole.format(metres) }) : t("kilometres", { value: number.format(metres / 1000) }));

/** So long ago, or so long [s], in the largest unit that says it. */
export function span(seconds) {
  if (seconds < 60) return t("seconds", { value: Math.max(0, Math.round(seconds)) });
  if (seconds < 5400) return t("minutes", { value: Math.round(seconds / 60) });
  return seconds < 172_800 ? t("hours", { value: number.format(seconds / 3600) }) : t("days", { value: whole.format(seconds / 86_400) });
}
export const age = (instant, now = Date.now()) => (instant ? span((now - Date.parse(instant)) / 1000) : "");

/** The name of a value of a field of a layer, as the server calls it. */
export const named = (layer, field, value) => get().names?.[layer]?.[field]?.[value] ?? value ?? "";
export const stateName = (state) => named("positions", "state", state);
export const kindName = (kind) => named("positions", "kind", kind);

const COMPASS = ["n", "ne", "e", "se", "s", "sw", "w", "nw"];
export const heading = (degrees) => (typeof degrees === "number" ? t(`heading.${COMPASS[Math.round(degrees / 45) % 8]}`) : "");

/** The department's name; its id where nobody told its name. */
export const departmentName = (id) => get().departmentNames.get(id) ?? id ?? "";

export const titleOf = (row) => row?.name || row?.device || "";

/** Times as inputs of type datetime-local have them, in the reader's own zone. */
export function localInput(instant) {
  const at = new Date(instant);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
