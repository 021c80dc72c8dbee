/** Requests to our own server, and errors that say cause and cure. */

import { language, t } from "./i18n.js";

export const base = new URL(document.documentElement.dataset.base, location.origin);

export class ApiError extends Error {
  constructor(cause, cure, requestId = null, status = 0) {
    super(cause);
    this.cure = cure;
    this.requestId = requestId;
    this.status = status;
  }
}

/** GET `path` below the server's base as JSON; throws ApiError, or AbortError when `signal` fires. */
export async function getJson(path, params = {}, signal = undefined) {
  return (await getWhole(path, params, signal)).value;
}

/** The same with the answer's ETag: `{value, etag}`. */
export async function getWhole(path, params = {}, signal = undefined) {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries({ lang: language, ...params })) url.searchParams.set(name, value);
  const response = await asked(url, { signal, headers: { Accept: "application/json, application/geo+json;q=0.9" } });
  return { value: await read(response), etag: response.headers.get("etag") };
}

/** Execute a process; its result as JSON. */
export async function execute(process, inputs, signal = undefined) {
  const response = await send("POST", `processes/${process}/execution`, { inputs }, { type: "application/json", signal });
  return read(response);
}

let token;

/** Change something, with the session's token. Throws ApiError: `status` 401 where the session has ended. */
export async function send(method, path, body = undefined, { type = "application/geo+json", headers = {}, signal } = {}) {
  token ??= await sessionToken();
  const sent = { Accept: "application/json", "Accept-Language": language, ...headers };
  if (token) sent["X-CSRF-Token"] = token;
  if (body !== undefined) sent["Content-Type"] = type;
  try {
    return await asked(new URL(path, base), { method, headers: sent, body: body && JSON.stringify(body), signal });
  } catch (error) {
    // Whoever signs in again, in another window perhaps, has another token.
    token = undefined;
    throw error;
  }
}

async function sessionToken() {
  if (!document.documentElement.dataset.account) return "";
  return (await getJson("account", { f: "json" })).csrfToken ?? "";
}

async function asked(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(t("error.network"), t("error.network.cure"));
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

async function read(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(t("error.answer"), t("error.server.cure"), response.headers.get("x-request-id"));
  }
}

async function refusal(response) {
  const requestId = response.headers.get("x-request-id");
  const body = await response.json().catch(() => ({}));
  const own = language === "en" ? undefined : body.zh;
  const said = own ?? body.description ?? body.detail ?? body.title ?? "";
  return new ApiError(t("error.status", { status: response.status, said }).trim(), cureOf(response.status), requestId, response.status);
}

function cureOf(status) {
  if (status === 401) return t("error.signIn.cure");
  if (status === 412) return t("error.conflict.cure");
  return status >= 500 ? t("error.server.cure") : t("error.request.cure");
}
