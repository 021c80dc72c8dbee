/** Counts and layer names of the landing page, read as the reader may see them. */

const CHIPS = 14;
const lang = document.documentElement.lang;

async function read(path) {
  const all = path.endsWith("/processes") ? "&limit=1000" : "";
  const response = await fetch(`${path}?f=json&lang=${lang}${all}`, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

async function show(element) {
  const answer = await read(element.dataset.count);
  const list = answer.collections ?? answer.processes ?? answer.conformsTo ?? [];
  element.textContent = list.length.toLocaleString(lang);
  element.closest("dl").hidden = false;
  if (answer.collections) showChips(answer.collections);
}

function showChips(collections) {
  const section = document.querySelector("[data-chips]");
  const items = collections.slice(0, CHIPS).map(({ id, title }) => {
    const link = document.createElement("a");
    link.className = "chip";
    link.href = `${section.dataset.chips}/${encodeURIComponent(id)}`;
    link.textContent = title;
    const item = document.createElement("li");
    item.append(link);
    return item;
  });
  section.querySelector("ul").replaceChildren(...items);
  section.hidden = items.length === 0;
}

// What cannot be read is not shown; the page is whole without it.
for (const element of document.querySelectorAll("[data-count]")) {
  show(element).catch(() => { element.parentElement.hidden = true; });
}
