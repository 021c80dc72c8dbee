/** Numbers, shares and instants as people read them. */

import { language, t } from "../map/i18n.js";

const whole = new Intl.NumberFormat(language);
const percent = new Intl.NumberFormat(language, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const when = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });

export const count = (number) => whole.format(number);
export const share = (part) => (part === null ? t("share.none") : percent.format(part));
export const time = (instant) => clock.format(instant);
export const moment = (text) => (text ? when.format(new Date(text)) : "");

/** In the reader's language, one of a text that the server gives in both. */
export const either = (both) => (language === "en" ? both.en : both.zh);

/** What a feature is called. */
export const titleOf = ({ id, properties: p }) => p.title || p.name || p.subject || p.code || String(id);
