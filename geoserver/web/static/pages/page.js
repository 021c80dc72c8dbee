/** What every page has: the chosen language kept while browsing, copying, local times, and lists that filter. */

import { request } from "./session.js";

const here = new URL(location.href);
const language = document.documentElement.lang;

/** The reader chose a language in the address: our own links keep it. */
function keepLanguage() {
  const chosen = here.searchParams.get("lang");
  for (const link of document.querySelectorAll("a[data-language]")) {
    const url = new URL(here);
    url.searchParams.set("lang", link.dataset.language);
    link.href = url.pathname + url.search;
  }
  if (!chosen) return;
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || link.dataset.language || link.origin !== location.origin) return;
    const url = new URL(link.href);
    if (url.searchParams.has("lang") || url.pathname === here.pathname && url.hash) return;
    url.searchParams.set("lang", chosen);
    link.href = url;
  }, true);
}

function copyButtons() {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const field = document.getElementById(button.dataset.copy);
      field.select();
      // The clipboard API needs TLS, which an intranet address often lacks.
      if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
      else document.execCommand("copy");
      const label = button.firstChild;
      const before = label.textContent;
      label.textContent = button.dataset.done;
      setTimeout(() => { label.textContent = before; }, 2000);
    });
  }
}

/** Times with a zone are shown in the reader's own; dates and zone-less times stay as they are. */
function localTimes() {
  const format = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  for (const element of document.querySelectorAll("time")) {
    const zoned = /T.*(Z|[+-]\d\d:?\d\d)$/.test(element.dateTime);
    const date = new Date(element.dateTime);
    if (!zoned || Number.isNaN(date.getTime())) continue;
    element.title = element.dateTime;
    element.textContent = format.format(date);
  }
}

function searchBoxes() {
  for (const box of document.querySelectorAll(".search[data-filters]")) {
    const list = document.getElementById(box.dataset.filters);
    const [input, status] = [box.querySelector("input"), box.querySelector("[role=status]")];
    box.hidden = false;
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const card of list.querySelectorAll("[data-search]")) {
        const text = card.dataset.search.toLowerCase();
        card.hidden = !words.every((word) => text.includes(word));
        shown += card.hidden ? 0 : 1;
      }
      for (const group of list.querySelectorAll(".group")) {
        group.hidden = !group.querySelector("[data-search]:not([hidden])");
      }
      const message = shown ? box.dataset.some.replace("{n}", shown) : box.dataset.none;
      status.textContent = words.length ? message : "";
    });
  }
}

/** Fields left empty stay out of the address. */
function tidyForms() {
  for (const form of document.querySelectorAll("form[method=get]")) {
    form.addEventListener("submit", () => {
      for (const field of form.querySelectorAll("input")) field.disabled = field.value === "";
    });
  }
  // Coming back by the browser's history finds the fields usable again.
  addEventListener("pageshow", () => {
    for (const field of document.querySelectorAll("form[method=get] input")) field.disabled = false;
  });
}

/** Signing in comes back here; signing out begins anew. */
function person() {
  const link = document.querySelector("a[data-sign-in]");
  if (link && !here.pathname.endsWith("/sign-in")) link.search = new URLSearchParams({ next: here.pathname + here.search });
  const button = document.querySelector("button[data-sign-out]");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    await request(`${document.documentElement.dataset.root}/sign-out`, { method: "POST" });
    location.assign(`${document.documentElement.dataset.root}/`);
  });
}

keepLanguage();
person();
copyButtons();
localTimes();
searchBoxes();
tidyForms();
