/** Requests to our own server, and errors that say cause and cure. */

import { language, t } from "./i18n.js";

export const base = new URL(document.documentElement.dataset.base, location.origin);

export class ApiError extends Error {
  constructor(cause, cure, requestId = null) {
    super(cause);
    this.cure = cure;
    this.requestId = requestId;
  }
}

/** GET `path` below the server's base as JSON; throws ApiError, or AbortError when `signal` fires. */
export async function getJson(path, params = {}, signal = undefined) {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries({ lang: language, ...params })) url.searchParams.set(name, value);
  let response;
  try {
    response = await fetch(url, { signal, headers: { Accept: "application/json, application/geo+json;q=0.9" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(t("error.network"), t("error.network.cure"));
  }
  if (!response.ok) throw await refusal(response);
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
  const said = body.description ?? body.detail ?? body.title ?? "";
  const cure = response.status >= 500 ? t("error.server.cure") : t("error.request.cure");
  return new ApiError(t("error.status", { status: response.status, said }).trim(), cure, requestId);
}
