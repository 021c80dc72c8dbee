/** Severities, areas, dates and titles as people read them: never by colour alone. */

import { language, t } from "../map/i18n.js";

/** Of each severity: its sign, its grade of colour, and its colour on the map. */
export const SEVERITIES = { blocking: ["stop", "bad", "#c4281c"], warning: ["alert", "wait", "#c98500"], info: ["flag", "", "#2f6fb0"] };
export const VERDICTS = { blocked: ["stop", "bad"], warnings: ["alert", "wait"], clear: ["check", "good"] };

const spoken = language === "en" ? "en" : "zh";
/** A text that the server gives in both languages. */
export const own = (text) => (text ? text[spoken] : "");

const two = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const four = new Intl.NumberFormat(language, { minimumFractionDigits: 4, maximumFractionDigits: 4 });
const share = new Intl.NumberFormat(language, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const plain = new Intl.NumberFormat(language, { maximumFractionDigits: 4 });

export const metres = (value) => t("unit.m", { n: two.format(value) });
export const squareMetres = (value) => t("unit.m2", { n: two.format(value) });
export const hectares = (value) => t("unit.ha", { n: four.format(value) });
export const mu = (value) => t("unit.mu", { n: two.format(value) });
export const percent = (value) => share.format(value);
export const amount = (value) => (value === null || value === undefined ? "—" : plain.format(value));

const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
export const when = (text) => (text ? moment.format(new Date(text)) : "");
const dated = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
export const day = (text) => (text ? dated.format(new Date(`${text}T00:00:00Z`)) : "—");

/** The days of this moment in the reader's place, as forms want them. */
export const today = (later = 0) => {
  const date = new Date(Date.now() + later * 86_400_000);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
};
