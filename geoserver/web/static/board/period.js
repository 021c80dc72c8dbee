/** Periods that a leader asks for, and the steps of their trend. Days are those of this device's time zone. */

/** Name → how it begins, before the end of today, and the step of its trend. */
const PERIODS = {
  today: { days: 1, step: "day" },
  week: { days: 7, step: "day" },
  month: { days: 30, step: "day" },
  quarter: { months: 3, step: "week" },
  year: { months: 12, step: "month" },
};
export const NAMES = Object.keys(PERIODS);
export const FIRST = "month";

/** { begin, end, step }: from a midnight up to the next one, as instants with their offset. */
export function periodOf(name, now = new Date()) {
  const { days, months, step } = PERIODS[name];
  const end = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  const begin = months ? new Date(end.getFullYear(), end.getMonth() - months, end.getDate()) : new Date(end.getFullYear(), end.getMonth(), end.getDate() - days);
  return { begin: begin.toISOString(), end: end.toISOString(), step };
}

const two = (number) => String(number).padStart(2, "0");
const dayName = (day) => `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;

/** The names of all parts of a period, as the process `evaluate` writes them: also of those without a case. */
export function partsOf({ begin, end, step }) {
  const names = [];
  const day = new Date(begin);
  for (const last = new Date(end); day < last; day.setDate(day.getDate() + 1)) {
    const name = step === "day" ? dayName(day) : step === "week" ? weekName(day) : `${day.getFullYear()}-${two(day.getMonth() + 1)}`;
    if (names.at(-1) !== name) names.push(name);
  }
  return names;
}

/** The week of ISO 8601 that a day lies in: it belongs to the year of its Thursday. */
function weekName(day) {
  const thursday = new Date(day.getFullYear(), day.getMonth(), day.getDate() + 3 - ((day.getDay() + 6) % 7));
  const first = new Date(thursday.getFullYear(), 0, 4);
  const week = 1 + Math.round(((thursday - first) / 86_400_000 - 3 + ((first.getDay() + 6) % 7)) / 7);
  return `${thursday.getFullYear()}-W${two(week)}`;
}
