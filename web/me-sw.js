// Keeps the attendee's page on the phone, so that the ticket opens with no network. The
// server writes the build here; a new build is a new worker with a new cache. Nothing
// personal is kept by it: what the page knows of a person it keeps itself.
const BUILD = "development";
const CACHE = `me-${BUILD}`;
const FILES = [
  "/me.html",
  "/config.json",
  "/css/base.css",
  "/css/me.css",
  "/css/narrow.css",
  "/css/ticket.css",
  "/css/tokens.css",
  "/i18n/en.json",
  "/i18n/fr.json",
  "/img/mark.svg",
  "/js/me.js",
  "/js/me/consents.js",
  "/js/me/news.js",
  "/js/me/people.js",
  "/js/me/programme.js",
  "/js/me/sign-in.js",
  "/js/me/state.js",
  "/js/theme.js",
  "/lib/agenda.js",
  "/lib/api.js",
  "/lib/format.js",
  "/lib/i18n.js",
  "/lib/live-rules.js",
  "/lib/live.js",
  "/lib/theme.js",
  "/lib/tools.js",
  "/lib/ui.js",
  "/lib/zoned.js",
  "/vendor/htm.mjs",
  "/vendor/preact-hooks.mjs",
  "/vendor/preact.mjs",
  "/vendor/signals-core.mjs",
  "/vendor/signals.mjs",
];
const KEPT = new Set(FILES);

addEventListener("install", (event) => {
  const fresh = FILES.map((path) => new Request(path, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)));
  // One page, one visitor: a new version may take over at once, the next visit has it.
  skipWaiting();
});

addEventListener("activate", (event) => {
  const clean = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("me-") && name !== CACHE) await caches.delete(name);
    }
    await clients.claim();
  };
  event.waitUntil(clean());
});

// The network first: the page is small, and a kept one must never hide a newer one.
addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== location.origin || !KEPT.has(pathname)) return;
  const answer = async () => {
    try {
      return await fetch(event.request);
    } catch {
      return (await caches.match(pathname, { cacheName: CACHE })) ?? Response.error();
    }
  };
  event.respondWith(answer());
});
