/** One vehicle: what it was told and answered, and links that show where it is. */

import { t } from "../map/i18n.js";
import { ask, run } from "../work/api.js";
import { fleet, get, noteEnd, patch, say, set, told } from "./store.js";

/** How often answers of a terminal are looked for while some are missing [ms]. */
const EVERY = 2500;
let timer;

/** Choose a vehicle; null chooses none. `go` moves the map there. */
export function choose(code, go = true) {
  clearTimeout(timer);
  const unit = code ? { commands: null, shares: null, link: null, trouble: null, busy: null } : null;
  set({ chosen: code, unit, unitOpen: Boolean(code), following: false, goTo: code && go ? { code } : null });
  if (code) readUnit(code);
}

export const stopGoing = () => set({ goTo: null });
export const followUnit = (following) => set({ following });

async function readUnit(code) {
  await Promise.all([readCommands(code), readShares(code)]);
}

const isChosen = (code) => get().chosen === code;

async function readCommands(code) {
  try {
    const commands = await run("device-commands", { device: code });
    if (!isChosen(code)) return;
    patch("unit", { commands });
    clearTimeout(timer);
    const waiting = commands.slice(0, 5).some(({ answered, made }) => !answered && Date.now() - Date.parse(made) < 120_000);
    if (waiting) timer = setTimeout(() => readCommands(code), EVERY);
  } catch (error) {
    await failed(code, error);
  }
}

async function readShares(code) {
  try {
    const { shares } = await ask("GET", "tracking/shares", { query: { device: code } });
    if (isChosen(code)) patch("unit", { shares: shares.filter(({ revoked, expires }) => !revoked && Date.parse(expires) > Date.now()) });
  } catch {
    if (isChosen(code)) patch("unit", { shares: [] });
  }
}

async function failed(code, error) {
  await noteEnd(error);
  if (isChosen(code)) patch("unit", { trouble: told(error), busy: null });
}

/** Put something into the terminal's queue. */
async function command(process, inputs, busy) {
  const code = inputs.device;
  patch("unit", { busy, trouble: null });
  try {
    await run(process, inputs);
    say(t("unit.queued", { name: fleet.row(code)?.name ?? code }));
    patch("unit", { busy: null });
    await readCommands(code);
    return true;
  } catch (error) {
    await failed(code, error);
    return false;
  }
}

export const sendText = (device, text, emergency) => command("send-text", { device, text, emergency }, "text");
export const locate = (device) => command("locate-device", { device }, "locate");

/** A link to the live position that ends after so many hours. */
export async function share(device, hours, note) {
  patch("unit", { busy: "share", trouble: null });
  try {
    const made = await ask("POST", "tracking/shares", { json: { device, hours, ...(note ? { note } : {}) } });
    patch("unit", { link: made, busy: null });
    await readShares(device);
  } catch (error) {
    await failed(device, error);
  }
}

export async function endShare(device, id) {
  try {
    await ask("DELETE", `tracking/shares/${id}`);
    if (get().unit?.link?.id === id) patch("unit", { link: null });
    await readShares(device);
  } catch (error) {
    await failed(device, error);
  }
}
