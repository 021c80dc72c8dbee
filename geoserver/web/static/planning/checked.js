/** What a check found: the verdict, the areas, each conflict by its clause, and what else lies in the parcel. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { askReport } from "./reporting.js";
import { Report } from "./report.js";
import { look, set } from "./state.js";
import { amount, hectares, metres, mu, own, percent, SEVERITIES, squareMetres, VERDICTS, when } from "./words.js";

/** `check` is {busy, trouble, answer}; `report` stands where the check may be printed. */
export function Checked({ check, picked, names, onRetry, report }) {
  if (!check) return null;
  const { busy, trouble, answer } = check;
  return html`
    <section class="checked" aria-label=${t("check")} aria-busy=${String(Boolean(busy))} data-check=${answer?.check ?? ""} data-verdict=${busy ? "" : answer?.result.verdict ?? ""}>
      ${trouble && html`<${Trouble} error=${trouble} onRetry=${onRetry} />`}
      ${busy && !answer && html`<div class="skeleton" role="status" aria-label=${t("check.busy")}><i></i><i></i><i></i></div>`}
      ${answer && html`<${Found} answer=${answer} busy=${busy} picked=${picked} names=${names} report=${report} />`}
    </section>
  `;
}

function Found({ answer, busy, picked, names, report }) {
  const { result } = answer;
  const [sign, grade] = VERDICTS[result.verdict];
  const count = (severity) => result.conflicts.filter((one) => one.severity === severity).length;
  return html`
    <div class=${`verdict notice ${grade}`} role="status">
      <strong>${icon(sign)}${t(`verdict.${result.verdict}`)}</strong>
      <span class="small">${busy ? t("check.again") : t("check.when", { check: answer.check, at: when(answer.at) })}</span>
      <span class="small">${["blocking", "warning", "info"].map((severity) => `${t(`severity.${severity}`)} ${count(severity)}`).join(" · ")}</span>
    </div>
    <${Areas} areas=${result.areas} zones=${result.zones} crs=${result.crs} />
    <${Conflicts} conflicts=${result.conflicts} picked=${picked} names=${names} />
    ${result.slivers > 0 && html`<p class="small soft">${t("check.slivers", { n: result.slivers, area: squareMetres(result.sliver_area) })}</p>`}
    ${[...result.unknown, ...result.remarks].length > 0 && html`<ul class="remarks small">${[...result.unknown, ...result.remarks].map((text, n) => html`<li key=${n}>${own(text)}</li>`)}</ul>`}
    <${Inside} result=${result} names=${names} />
    <div class="row"><button type="button" class="button" data-report="pdf" onClick=${() => askReport({ check: answer.check }, "pdf")}>${t("report.pdf")}</button>
      <button type="button" class="button" data-report="zip" onClick=${() => askReport({ check: answer.check }, "zip")}>${t("report.zip")}</button></div>
    ${report ?? html`<${Report} />`}
  `;
}

function Areas({ areas, zones, crs }) {
  const facts = [["hectares", hectares(areas.hectares)], ["mu", mu(areas.mu)], ["plane", squareMetres(areas.plane)], ["ellipsoidal", squareMetres(areas.ellipsoidal)], ["perimeter", metres(areas.perimeter)]];
  return html`
    <dl class="areas">${facts.map(([name, value]) => html`<div key=${name} data-area=${name}><dt>${t(`area.${name}`)}</dt><dd class="number">${value}</dd></div>`)}</dl>
    <p class="small soft">${crs}${zones.length > 1 ? ` · ${zones.map(({ zone, share }) => t("area.zone", { zone, share: percent(share) })).join(" · ")}` : ""}</p>
  `;
}

/** By clause: the gravest first, as the server has them. */
function Conflicts({ conflicts, picked, names }) {
  if (conflicts.length === 0) return html`<p class="empty-line">${icon("check")}${t("conflicts.none")}</p>`;
  const clauses = Map.groupBy ? Map.groupBy(conflicts.map((one, n) => ({ ...one, n })), (one) => `${one.severity}${one.clause.zh}`) : grouped(conflicts);
  return html`<ol class="clauses" aria-label=${t("conflicts")}>
    ${[...clauses].map(([key, found]) => html`<${Clause} key=${key} found=${found} picked=${picked} names=${names} />`)}
  </ol>`;
}

function grouped(conflicts) {
  const clauses = new Map();
  conflicts.forEach((one, n) => {
    const key = `${one.severity}${one.clause.zh}`;
    clauses.set(key, [...(clauses.get(key) ?? []), { ...one, n }]);
  });
  return clauses;
}

function Clause({ found, picked, names }) {
  const [{ severity, clause }] = found;
  const [sign, grade] = SEVERITIES[severity];
  return html`
    <li data-severity=${severity}>
      <h3><span class=${`chip ${grade}`}>${icon(sign)}${t(`severity.${severity}`)}</span> ${own(clause)}</h3>
      <ul>${found.map((one) => html`<li key=${one.n}><button type="button" class="piece" data-conflict=${one.n} aria-pressed=${String(picked === one.n)} onClick=${() => pick(one, picked)}>
        <span>${featureName(one, names)}</span><span class="number">${one.length ? t("conflict.crosses", { length: metres(one.length) }) : `${squareMetres(one.area)} · ${percent(one.share)}`}</span></button></li>`)}</ul>
    </li>
  `;
}

function pick(conflict, picked) {
  const chosen = picked === conflict.n ? null : conflict.n;
  set({ picked: chosen });
  if (chosen !== null) look(conflict.geometry);
}

export function featureName({ kind, subject, feature }, names) {
  const about = names[subject] ?? names[feature.layer];
  const title = about?.fields.kind?.[kind] ?? about?.fields.status?.[kind] ?? about?.title ?? t("kind.other");
  const name = [feature.name, feature.code].filter(Boolean).filter((one, n, all) => all.indexOf(one) === n).join(" ");
  return kind === "unplanned" ? t("kind.unplanned") : [title, name, feature.version && t("kind.version", { version: feature.version })].filter(Boolean).join(" · ");
}

/** What lies in the parcel beside conflicts, folded away. */
function Inside({ result, names }) {
  const named = (layer, field, code) => names[layer]?.fields[field]?.[code] ?? code;
  const { plots, buildings, crossed, access, ground, land_use: uses } = result;
  const parts = [
    plots.length > 0 && [t("inside.plots"), plots.map((p) => [`${p.plot ?? ""} ${p.land_code ?? ""} ${p.land_use ?? ""}`, `${squareMetres(p.area)} · ${percent(p.share)}`])],
    uses.length > 0 && [t("inside.uses"), uses.map((u) => [`${u.code ?? ""} ${u.name ?? ""}`, `${squareMetres(u.area)} · ${percent(u.share)}`])],
    buildings && [t("inside.buildings"), [[t("inside.count"), t("inside.cut", { n: buildings.count, cut: buildings.cut })], [t("inside.floor"), squareMetres(buildings.floor_area)], [t("inside.people"), amount(buildings.people)]]],
    crossed.length > 0 && [t("inside.crossed"), crossed.map((c) => [named(c.layer, "kind", c.kind) ?? names[c.layer]?.title ?? c.layer, t("inside.length", { n: c.count, length: metres(c.length) })])],
    access.length > 0 && [t("inside.access"), access.map((a) => [a.name ?? named("roads", "class", a.road_class) ?? "", metres(a.distance)])],
    ground && [t("inside.ground"), [[t("inside.heights"), `${metres(ground.lowest)} – ${metres(ground.highest)}`], [t("inside.slope"), `${amount(ground.mean_slope)}° / ${amount(ground.steepest)}°`]]],
  ].filter(Boolean);
  return parts.map(([title, rows]) => html`
    <details key=${title} class="inside"><summary>${title} <span class="soft">${rows.length}</span></summary>
      <dl>${rows.slice(0, 60).map(([name, value], n) => html`<div key=${n}><dt>${name}</dt><dd class="number">${value}</dd></div>`)}</dl></details>
  `);
}
