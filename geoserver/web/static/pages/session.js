/** Requests to this server that a signed-in reader sends: they carry the session's token. */

const here = document.documentElement.dataset;
const { root } = here;
let token = null;

/** Somebody may have signed in since: the token is asked for again. */
export function renew() {
  token = null;
}

/** What the server refused, or why it did not answer; `kind` is the narrowest name that the server has for it. */
export class Refused extends Error {
  constructor(status, said) {
    super(said.description ?? "");
    Object.assign(this, { status, kind: said.type, code: said.code, zh: said.zh });
  }
}

async function csrfToken() {
  if (token === null && here.account) {
    const response = await fetch(`${root}/account?f=json`, { headers: { Accept: "application/json" } });
    token = response.ok ? (await response.json()).csrfToken : null;
  }
  return token;
}

/** `fetch` of a path below the server's root, with the token where something is changed. */
export async function request(url, { method = "GET", headers = {}, ...more } = {}) {
  const spoken = { "Accept-Language": document.documentElement.lang, ...headers };
  const given = method === "GET" ? null : await csrfToken();
  return fetch(url, { method, headers: given ? { ...spoken, "X-CSRF-Token": given } : spoken, ...more });
}

/** The JSON answer, or null where there is none. Throws Refused. */
export async function send(method, path, body = undefined) {
  const headers = { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  let response;
  try {
    response = await request(root + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refused(0, { type: "network" });
  }
  const answer = response.status === 204 ? null : await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, answer ?? {});
  token = answer?.csrfToken ?? token;
  return answer;
}
