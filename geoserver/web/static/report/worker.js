/* Service worker of the report page: keeps the page and its files, so that it opens without a network.
   The server puts self.BUILD before this text: version, page, static, languages, files, data, tiles. */
"use strict";

const { version, page, static: files, languages } = self.BUILD;
const SHELL = `citymap-report-${version}`;
const DATA = "citymap-report-data";
const TILES = "citymap-report-tiles";
const MOST_TILES = 800;
const PATIENCE = 5000;
const shells = languages.map((language) => `${page}?lang=${language}`);

self.addEventListener("install", (event) => {
  const fresh = shells.map((url) => new Request(url, { cache: "no-cache" }));
  event.waitUntil(Promise.all([caches.open(SHELL).then((cache) => cache.addAll([...fresh, ...self.BUILD.files])), fetchData()]));
});

/** Classes and map style at the first visit already, as far as they come: later ones fetch them anew. */
async function fetchData() {
  const cache = await caches.open(DATA);
  const wanted = self.BUILD.data.map((url) => fetch(url).then((answer) => answer.ok && cache.put(url, answer)));
  await Promise.allSettled(wanted);
}

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("citymap-report-") && ![SHELL, DATA, TILES].includes(name)) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("message", (event) => {
  if (event.data === "take-over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (url.pathname === page) event.respondWith(shell(request, url));
  } else if (url.pathname.startsWith(`${files}/`)) {
    event.respondWith(kept(request));
  } else if (self.BUILD.data.some((one) => one.split("?")[0] === url.pathname)) {
    event.respondWith(freshElseKept(request, DATA));
  } else if (url.pathname.startsWith(self.BUILD.tiles)) {
    event.respondWith(keptMeanwhile(event));
  }
});

/** The page of this build in the reader's language: it fits the files of this build, with or without a network. */
async function shell(request, url) {
  const asked = [url.searchParams.get("lang"), ...self.navigator.languages].filter(Boolean);
  const primary = (tag) => tag.toLowerCase().split("-")[0];
  const known = asked.map((tag) => languages.find((one) => primary(one) === primary(tag))).find(Boolean) ?? languages[0];
  const cache = await caches.open(SHELL);
  return (await cache.match(`${page}?lang=${known}`, { ignoreVary: true })) ?? fetch(request);
}

async function kept(request) {
  const cache = await caches.open(SHELL);
  return (await cache.match(request, { ignoreVary: true })) ?? fetch(request);
}

async function freshElseKept(request, name) {
  const cache = await caches.open(name);
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch {
    return (await cache.match(request, { ignoreVary: true })) ?? Response.error();
  }
}

/** A tile as it was last seen, at once; what it is now is fetched for the next time. */
async function keptMeanwhile(event) {
  const cache = await caches.open(TILES);
  const known = await cache.match(event.request, { ignoreVary: true });
  const fresh = fetch(event.request).then(async (answer) => {
    if (answer.ok) await cache.put(event.request, answer.clone()).then(() => trim(cache));
    return answer;
  });
  if (!known) return fresh;
  event.waitUntil(fresh.catch(() => null));
  return known;
}

async function trim(cache) {
  const keys = await cache.keys();
  for (const key of keys.slice(0, Math.max(0, keys.length - MOST_TILES))) await cache.delete(key);
}
