/** The API description as a page: every route with its parameters and answers, and a form to try the reading ones. */

const holder = document.getElementById("routes");
const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];
let document_ = {};

function make(tag, attributes = {}, ...content) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...content.filter((part) => part !== undefined && part !== null));
  return element;
}

const text = (key) => holder.dataset[`text${key}`];

/** What a local `$ref` names; anything else as it is. */
function resolve(value) {
  const path = value?.$ref;
  if (!path?.startsWith("#/")) return value ?? {};
  return path.slice(2).split("/").reduce((node, key) => node?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], document_) ?? {};
}

function typeOf(schema) {
  const { type, format, items, enum: values } = resolve(schema);
  if (values) return values.slice(0, 12).join(" | ");
  if (type === "array") return `${typeOf(items)}[]`;
  return [type, format].filter(Boolean).join(" ");
}

function table(caption, heads, rows) {
  const head = make("tr", {}, ...heads.map((label) => make("th", { scope: "col", textContent: label })));
  const body = rows.map(([first, ...rest]) =>
    make("tr", {}, make("th", { scope: "row" }, make("code", { textContent: first })), ...rest.map((value) => make("td", { textContent: value ?? "" }))));
  const region = make("div", { className: "scroll", tabIndex: 0, role: "group", ariaLabel: caption });
  region.append(make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
  return [make("h3", { textContent: caption }), region];
}

function parametersTable(parameters) {
  if (parameters.length === 0) return [];
  const rows = parameters.map((p) => [p.name, `${p.in}${p.required ? ` · ${text("Required")}` : ""}`, typeOf(p.schema), p.description]);
  return table(text("Parameters"), [text("Field"), text("Location"), text("Type"), text("Description")], rows);
}

function responsesTable(responses) {
  const rows = Object.entries(responses).map(([status, value]) => {
    const response = resolve(value);
    return [status, response.description, Object.keys(response.content ?? {}).join(", ")];
  });
  return rows.length ? table(text("Responses"), ["HTTP", text("Description"), text("MediaType")], rows) : [];
}

function bodyExample(operation) {
  const body = resolve(operation.requestBody);
  return Object.entries(body.content ?? {}).slice(0, 4).flatMap(([type, { example, schema }]) => {
    const shown = example ?? resolve(schema).example;
    const title = make("h3", { textContent: `${text("ExecuteBody").replace(/ ?\(JSON\)/, "")} ${type}` });
    return shown === undefined ? [title] : [title, make("pre", { tabIndex: 0, ariaLabel: type, textContent: JSON.stringify(shown, null, 2) })];
  });
}

/** Sends the request and shows the first part of the answer. */
async function send(path, parameters, form, output) {
  const values = new FormData(form);
  const query = new URLSearchParams();
  let address = path;
  for (const parameter of parameters) {
    const value = String(values.get(parameter.name) ?? "");
    if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (parameter.in === "query" && value) query.set(parameter.name, value);
  }
  const base = new URL(document_.servers?.[0]?.url ?? "/", location.origin).pathname.replace(/\/$/, "");
  const url = `${base}${address}${query.size ? `?${query}` : ""}`;
  output.hidden = false;
  output.textContent = `GET ${url}\n${text("ExecuteRunning")}`;
  try {
    const response = await fetch(url, { headers: { Accept: "application/json, */*;q=0.5" } });
    const type = response.headers.get("Content-Type") ?? "";
    const answer = /json|text|xml/.test(type) ? await response.text() : `${(await response.blob()).size} bytes`;
    output.textContent = `GET ${url}\n${response.status} ${type}\n\n${pretty(answer).slice(0, 20000)}`;
  } catch (error) {
    output.textContent = `GET ${url}\n${error.message}`;
  }
}

function pretty(answer) {
  try {
    return JSON.stringify(JSON.parse(answer), null, 2);
  } catch {
    return answer;
  }
}

function tryForm(path, parameters) {
  const form = make("form", { className: "try" });
  for (const p of parameters.filter((p) => p.in === "path" || p.in === "query").slice(0, 24)) {
    const schema = resolve(p.schema);
    const field = make("input", { name: p.name, type: "text", required: Boolean(p.required), autocomplete: "off" });
    field.placeholder = String(schema.default ?? schema.enum?.[0] ?? "");
    form.append(make("label", {}, p.name, field));
  }
  form.append(make("button", { className: "button button-main", type: "submit", textContent: text("RouteSend") }));
  const output = make("pre", { hidden: true, tabIndex: 0, ariaLabel: text("Response") });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(path, parameters, form, output);
  });
  return [make("h3", { textContent: text("RouteTry") }), form, output];
}

function route(path, method, operation, shared) {
  const parameters = [...shared, ...(operation.parameters ?? [])].map(resolve);
  const details = make("details", { className: "route" });
  details.dataset.search = `${path} ${operation.summary ?? ""} ${operation.description ?? ""} ${operation.operationId ?? ""}`;
  details.append(make(
    "summary", {},
    make("span", { className: `method method-${method}`, textContent: method }),
    make("span", { className: "path", textContent: path }),
    make("span", { className: "muted", textContent: operation.summary ?? "" }),
  ));
  // A description has hundreds of routes: each is built when it is opened.
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    const description = operation.description === operation.summary ? null : operation.description;
    details.append(make(
      "div", {},
      description ? make("p", { className: "pre", textContent: description }) : null,
      ...parametersTable(parameters),
      ...bodyExample(operation),
      ...responsesTable(operation.responses ?? {}),
      ...(method === "get" ? tryForm(path, parameters) : []),
    ));
  });
  return details;
}

function groups() {
  const byTag = new Map();
  for (const [path, item] of Object.entries(document_.paths ?? {})) {
    for (const method of METHODS.filter((name) => item[name])) {
      const tag = item[method].tags?.[0] ?? "";
      if (!byTag.has(tag)) byTag.set(tag, []);
      byTag.get(tag).push(route(path, method, item[method], item.parameters ?? []));
    }
  }
  const described = new Map((document_.tags ?? []).map((tag) => [tag.name, tag.description]));
  return [...byTag].map(([tag, routes]) => make(
    "section", { className: "group" },
    make("h2", {}, tag, " ", make("span", { className: "muted", textContent: described.get(tag) ?? "" })),
    ...routes,
  ));
}

async function show() {
  const response = await fetch(`${holder.dataset.document}&lang=${document.documentElement.lang}`);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  document_ = await response.json();
  holder.replaceChildren(...groups());
}

if (holder) show().catch((error) => holder.replaceChildren(make("p", { role: "alert", textContent: `${holder.dataset.failed}: ${error.message}` })));
