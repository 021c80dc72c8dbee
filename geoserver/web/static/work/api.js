/** Requests of the working pages. A refused one says cause, cure and request id; an ended session is told apart. */

import { language, t } from "../map/i18n.js";
import { renew, request } from "../pages/session.js";

const here = document.documentElement.dataset;
export const base = new URL(here.base, location.origin);
const PATIENCE = 30_000;

export class Refusal extends Error {
  constructor(cause, cure, { status = 0, requestId = null, kind = "", wait = 0 } = {}) {
    super(cause);
    Object.assign(this, { cure, status, requestId, kind, wait });
  }

  /** Nobody is signed in any longer, or somebody else is. */
  get signInNeeded() {
    return this.status === 401 || this.kind === "CrossSite";
  }

  /** The same may go well later. */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  /** What the page keeps and shows of it. */
  get told() {
    return { cause: this.message, cure: this.cure, requestId: this.requestId, status: this.status };
  }
}

/** The JSON answer to a request below the server's base, `whole` with its ETag as { value, etag }; null where there is none. Throws Refusal. */
export async function ask(method, path, { json, body, headers = {}, query = {}, alone = false, whole = false, patience = PATIENCE } = {}) {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  // The header also keeps the browser from asking for a password by itself.
  const sent = { Accept: "application/json", "Accept-Language": language, "X-CSRF-Token": "page", ...headers };
  if (json !== undefined) sent["Content-Type"] = "application/json";
  const options = { method, headers: sent, body: json === undefined ? body : JSON.stringify(json), signal: AbortSignal.timeout(patience) };
  let response;
  try {
    response = alone ? await fetch(url, { ...options, credentials: "omit" }) : await request(url, options);
  } catch (error) {
    throw new Refusal(t(error.name === "TimeoutError" ? "error.slow" : "error.network"), t("error.network.cure"));
  }
  if (!response.ok) throw await refusal(response);
  if (response.status === 204 || response.headers.get("content-length") === "0") return null;
  try {
    const value = await response.json();
    return whole ? { value, etag: response.headers.get("etag") } : value;
  } catch {
    throw new Refusal(t("error.answer"), t("error.server.cure"), { status: 502, requestId: response.headers.get("x-request-id") });
  }
}

/** The result of a process. */
export const run = (process, inputs, options = {}) => ask("POST", `processes/${process}/execution`, { json: { inputs }, ...options });

/** Who is signed in, as the server knows it now; null is nobody. Throws Refusal. */
export async function whoAmI() {
  renew();
  try {
    const { account } = await ask("GET", "account", { query: { f: "json" } });
    here.account = account;
    return account;
  } catch (error) {
    if (error.status !== 401) throw error;
    here.account = "";
    return null;
  }
}

async function refusal(response) {
  const said = await response.json().catch(() => ({}));
  const kind = String(said.type ?? "").split("/").pop();
  const about = {
    status: response.status,
    requestId: response.headers.get("x-request-id"),
    kind,
    wait: Number(response.headers.get("retry-after") ?? 0),
  };
  const cause = said.description ?? said.detail ?? t("error.status", { status: response.status });
  return new Refusal(cause, cureOf(response.status, about.wait), about);
}

function cureOf(status, wait) {
  if (status === 401) return t("error.signIn.cure");
  if (status === 403) return t("error.rights.cure");
  if (status === 412) return t("error.changed.cure");
  if (status === 429) return t("error.often.cure", { minutes: Math.max(1, Math.ceil(wait / 60)) });
  return status >= 500 ? t("error.server.cure") : t("error.input.cure");
}
