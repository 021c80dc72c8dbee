/** The fields of a collection, from its JSON schema. */

const section = document.querySelector("[data-fields]");

function cell(tag, ...content) {
  const element = document.createElement(tag);
  element.append(...content.filter((part) => part !== undefined && part !== null));
  return element;
}

function domainOf(property, more) {
  const labelled = property["x-citymap-domain"] && Object.entries(property["x-citymap-domain"]);
  const pairs = labelled ?? property.oneOf?.map(({ const: code, title }) => [code, title]) ?? property.enum?.map((code) => [code, ""]) ?? [];
  if (pairs.length === 0) return "";
  const list = cell("ul", ...pairs.map(([code, title]) => cell("li", cell("code", String(code)), title ? ` ${title}` : "")));
  list.className = "domain";
  if (pairs.length <= 8) return list;
  return cell("details", cell("summary", more.replace("{n}", pairs.length)), list);
}

async function show() {
  const response = await fetch(`${section.dataset.fields}&lang=${document.documentElement.lang}`);
  if (!response.ok) return;
  const { properties = {} } = await response.json();
  const body = section.querySelector("tbody");
  const types = Object.fromEntries(body.dataset.types.split(";").map((pair) => pair.split("=")));
  const rows = Object.entries(properties).map(([name, property]) => {
    const type = property.format?.startsWith("geometry") ? "geometry" : types[property.format] ? property.format : property.type;
    const head = cell("th", cell("code", name));
    head.scope = "row";
    return cell(
      "tr",
      head,
      cell("td", property.title === name ? "" : property.title),
      cell("td", types[type] ?? type),
      cell("td", property["x-ogc-unit"]),
      cell("td", domainOf(property, body.dataset.more)),
    );
  });
  body.replaceChildren(...rows);
  section.hidden = rows.length === 0;
}

if (section) show();
