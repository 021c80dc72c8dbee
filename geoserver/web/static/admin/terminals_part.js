/** Terminals: the devices with their department, and their secrets, each shown once. */

import { useState } from "preact/hooks";

import { html } from "../map/html.js";
import { language, t } from "../map/i18n.js";
import { ask } from "../work/api.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { ReadState, useAct, useRead } from "./loading.js";
import { say } from "./state.js";
import { when } from "./words.js";

const ITEMS = "collections/devices/items";
const MOST = 500;

async function readDevices() {
  const [{ features }, { properties }, departments] = await Promise.all([
    ask("GET", ITEMS, { query: { f: "json", limit: MOST, sortby: "code" } }), ask("GET", "collections/devices/schema", { query: { f: "json", lang: language } }), readDepartments(),
  ]);
  return { devices: features.map(({ id, properties: values }) => ({ id, ...values })), kinds: properties.kind?.["x-citymap-domain"] ?? {}, departments };
}
/** Names of departments by their ids, in the reader's language. */
async function readDepartments() {
  const { departments } = await ask("GET", "departments");
  return departments.map(({ id, zh, en }) => ({ id, name: language === "en" ? en : zh }));
}
const readSecrets = async () => (await ask("GET", "admin/devices")).secrets;

export function TerminalsPart({ state }) {
  const keeps = state.offices.includes("keys:manage");
  return html`${keeps && html`<${Secrets} />`}<${Devices} />`;
}

function Devices() {
  const found = useRead(readDevices);
  const [send, { busy, trouble }] = useAct(async (form) => {
    const { code, name, kind, department, plate } = Object.fromEntries(new FormData(form));
    const properties = { code, name, kind, plate: plate || null, department: department || null, enabled: true };
    await ask("POST", ITEMS, { json: { type: "Feature", geometry: null, properties }, headers: { "Content-Type": "application/geo+json" } });
    say(t("devices.done", { code }));
    form.reset();
    await found.again();
  });
  if (found.trouble?.status === 404) return html`<section class="form"><h3>${t("devices")}</h3><p class="soft">${t("devices.none")}</p></section>`;
  return html`<section class="form"><h3>${t("devices")}</h3>
    <details class="card"><summary>${t("devices.add")}</summary><form class="form" onSubmit=${(event) => { event.preventDefault(); send(event.target); }}>
      <div class="three"><label class="field"><span>${t("devices.code")}</span><input name="code" required maxlength="64" pattern="[0-9A-Za-z][0-9A-Za-z_.\\-]{0,63}" /></label>
        <label class="field"><span>${t("devices.name")}</span><input name="name" required maxlength="200" /></label>
        <label class="field"><span>${t("devices.kind")}</span><select name="kind">${Object.entries(found.value?.kinds ?? {}).map(([code, title]) => html`<option value=${code} key=${code}>${title}</option>`)}</select></label>
        <label class="field"><span>${t("devices.plate")}</span><input name="plate" maxlength="40" /></label>
        <label class="field"><span>${t("devices.department")}</span><select name="department"><${Departments} all=${found.value?.departments} chosen=${found.value?.devices[0]?.department} /></select></label></div>
      ${trouble && html`<${Trouble} error=${trouble} />`}
      <div class="row"><button class="button main" disabled=${busy}>${t("devices.do")}</button></div></form></details>
    <${ReadState} found=${found} />
    ${found.value && (found.value.devices.length === 0 ? html`<div class="empty">${icon("route")}<p>${t("devices.none")}</p></div>` : html`
      <div class="scroll tall" tabindex="0" role="group" aria-label=${t("devices")}><table><thead><tr><th scope="col">${t("devices.code")}</th><th scope="col">${t("devices.name")}</th><th scope="col">${t("devices.kind")}</th><th scope="col">${t("devices.plate")}</th><th scope="col">${t("devices.department")}</th></tr></thead>
        <tbody>${found.value.devices.map((one) => html`<tr key=${one.id}><th scope="row">${one.code}</th><td>${one.name ?? ""}</td><td>${found.value.kinds[one.kind] ?? one.kind ?? ""}</td><td>${one.plate ?? ""}</td><td><${Assign} one=${one} all=${found.value.departments} again=${found.again} /></td></tr>`)}</tbody></table></div>`)}
  </section>`;
}

/** Departments to choose from, by name; one that nobody knows stands as its id. */
function Departments({ all, chosen }) {
  const known = all?.some(({ id }) => id === chosen);
  return html`<option value="">${t("devices.department.none")}</option>
    ${all?.map(({ id, name }) => html`<option value=${id} key=${id} selected=${id === chosen}>${name}</option>`)}
    ${chosen && !known && html`<option value=${chosen} selected>${chosen}</option>`}`;
}

/** The department that a device belongs to. */
function Assign({ one, all, again }) {
  const [send, { busy, trouble }] = useAct(async (department) => {
    await ask("PATCH", `${ITEMS}/${one.id}`, { json: { properties: { department: department || null } }, headers: { "Content-Type": "application/merge-patch+json" } });
    say(t("devices.assigned", { code: one.code }));
    await again();
  });
  return html`<select value=${one.department ?? ""} disabled=${busy} aria-label=${t("devices.department.of", { code: one.code })} onChange=${(event) => send(event.target.value)}><${Departments} all=${all} chosen=${one.department} /></select>${trouble && html`<span class="need small" role="alert">${trouble.cause}</span>`}`;
}

function Secrets() {
  const found = useRead(readSecrets);
  const [shown, setShown] = useState(null);
  const [make, making] = useAct(async (form) => {
    setShown(await ask("POST", "admin/devices", { json: { device: new FormData(form).get("device") } }));
    form.reset();
    await found.again();
  });
  const [end, ending] = useAct(async (id) => {
    await ask("DELETE", `admin/devices/${id}`);
    await found.again();
  });
  return html`<section class="form"><h3>${t("secrets")}</h3>
    <form class="tools" onSubmit=${(event) => { event.preventDefault(); make(event.target); }}><label class="field"><span>${t("devices.code")}</span><input name="device" required maxlength="64" /></label><button class="button main" data-secret disabled=${making.busy}>${t("secrets.do")}</button></form>
    ${shown && html`<div class="notice good" role="status"><strong>${t("secrets.once", { device: shown.device })}</strong><code class="secret" data-shown>${shown.secret}</code><div class="row"><button type="button" class="button" onClick=${() => navigator.clipboard?.writeText(shown.secret)}>${t("secrets.copy")}</button><button type="button" class="button" onClick=${() => setShown(null)}>${t("close")}</button></div></div>`}
    ${(making.trouble ?? ending.trouble) && html`<${Trouble} error=${making.trouble ?? ending.trouble} />`}
    <${ReadState} found=${found} />
    ${found.value && found.value.length > 0 && html`<div class="scroll" tabindex="0" role="group" aria-label=${t("secrets")}><table><thead><tr><th scope="col">${t("devices.code")}</th><th scope="col">${t("secrets.made")}</th><th scope="col">${t("secrets.state")}</th></tr></thead>
      <tbody>${found.value.map((one) => html`<tr key=${one.id}><th scope="row">${one.device}</th><td>${when(one.made)} · ${one.made_by}</td><td>${one.revoked ? html`<span class="chip">${t("secrets.ended")}</span>` : html`<button type="button" class="button danger" onClick=${() => end(one.id)}>${t("secrets.end")}<span class="hidden-text"> ${one.device}</span></button>`}</td></tr>`)}</tbody></table></div>`}
  </section>`;
}
