/** Times, sizes and titles as people read them. */

import { language, t } from "../map/i18n.js";

const spoken = language === "en" ? "en" : "zh";
export const own = (text) => (text ? text[spoken] || text.zh || text.en : "");

const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
export const when = (text) => (text ? moment.format(new Date(text)) : "—");
const counted = new Intl.NumberFormat(language);
export const count = (value) => counted.format(value);
const rounded = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });

/** Bytes in decimal units. */
export function size(bytes) {
  const steps = [["TB", 1e12], ["GB", 1e9], ["MB", 1e6], ["kB", 1e3]];
  const [unit, one] = steps.find(([, least]) => bytes >= least) ?? ["B", 1];
  return `${rounded.format(bytes / one)} ${unit}`;
}

/** A span in days, hours or minutes. */
export function span(seconds) {
  if (seconds >= 86_400) return t("span.days", { n: Math.floor(seconds / 86_400) });
  if (seconds >= 3600) return t("span.hours", { n: Math.floor(seconds / 3600) });
  return t("span.minutes", { n: Math.max(0, Math.floor(seconds / 60)) });
}
