/** What became of the reports: those of the account by its layer, those without one by their receipts. */

import { ask } from "../work/api.js";
import { language } from "../map/i18n.js";

const MOST = 50;

/** Cases that the account reported, newest first: { case, title, at, state, closed, attached, photos }. */
export async function ofAccount(account, states) {
  const query = { f: "json", limit: MOST, sortby: "-reported_at", filter: `reporter = '${account.replaceAll("'", "''")}'` };
  const { features } = await ask("GET", "collections/cases/items", { query });
  return features.map(({ properties: p }) => ({
    case: p.code, title: p.title, at: p.reported_at, state: p.state, named: states[p.state] ?? p.state, closed: Boolean(p.closed_at) && !p.duplicate_of,
    attached: p.duplicate_of,
  }));
}

/** The names of a case's states, from the layer's schema. */
export async function stateNames() {
  const schema = await ask("GET", "collections/cases/schema", { query: { f: "json", lang: language } });
  return schema.properties.state["x-citymap-domain"] ?? {};
}

/** The same of reports without an account, by what the phone kept of them. */
export async function byReceipts(sent) {
  const kept = sent.filter(({ answer }) => answer?.receipt).slice(0, 100);
  if (kept.length === 0) return [];
  const reports = kept.map(({ answer }) => ({ case: answer.case, receipt: answer.receipt }));
  const told = await ask("POST", "report/cases/states", { json: { reports }, alone: true });
  const spoken = language === "en" ? "en" : "zh";
  return told.reports
    .map((one) => ({ case: one.case, title: one.title, at: one.reported_at, state: one.state, named: one.state_name[spoken], closed: Boolean(one.closed_at), attached: one.attached_to }))
    .sort((one, other) => other.at.localeCompare(one.at));
}
