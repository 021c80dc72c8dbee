/** Lights, states, acts and countdowns as words, signs and colours: never by colour alone. */

import { language, t } from "../map/i18n.js";

/** Of each light: its sign and its grade of colour. */
export const LIGHTS = { red: ["stop", "bad"], amber: ["alert", "wait"], green: ["check", "good"] };

const when = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
export const moment = (text) => (text ? when.format(new Date(text)) : "");

export const actName = (act) => t(`act.${act}`);
export const roleName = (role) => t(`role.${role}`);

/** How a clock stands now: { overdue, said, stands }; `read` is when its answer came [ms]. */
export function countdown(clock, clocks, now = Date.now()) {
  if (!clock) return null;
  const passed = clock.ticking ? Math.floor((now - clocks.read) / 1000) : 0;
  const left = clock.remaining - passed;
  const day = clock.unit === "urgent-hours" ? 86_400 : clocks.day_seconds;
  const time = inWords(Math.abs(left), day, clock.unit === "urgent-hours");
  return { overdue: left < 0, said: t(left < 0 ? "clock.over" : "clock.left", { time }), stands: !clock.ticking };
}

function inWords(seconds, day, urgent) {
  const minutes = Math.floor(seconds / 60);
  const [days, hours, rest] = [Math.floor(seconds / day), Math.floor((seconds % day) / 3600), minutes % 60];
  if (days > 0) return t(urgent ? "clock.days.urgent" : "clock.days", { days, hours });
  if (hours > 0) return t("clock.hours", { hours, minutes: Math.floor((seconds % 3600) / 60) });
  return t("clock.minutes", { minutes: rest });
}
