// Keeps the handheld's page on the device, so that it opens with the server gone.
// The server writes the build here; a new build is a new worker with a new cache.
const BUILD = "development";
const CACHE = `handheld-${BUILD}`;
const FILES = [
  "/scan/",
  "/scan/handheld.webmanifest",
  "/scan/css/acts.css",
  "/scan/css/handheld.css",
  "/scan/css/kiosk.css",
  "/scan/css/verdict.css",
  "/scan/js/alone.js",
  "/scan/js/answer.js",
  "/scan/js/band.js",
  "/scan/js/camera.js",
  "/scan/js/clicker.js",
  "/scan/js/codes.js",
  "/scan/js/desk.js",
  "/scan/js/device-api.js",
  "/scan/js/dialog.js",
  "/scan/js/engine/ask.js",
  "/scan/js/engine/checks.js",
  "/scan/js/engine/days.js",
  "/scan/js/engine/decision.js",
  "/scan/js/engine/outcome.js",
  "/scan/js/engine/plan.js",
  "/scan/js/engine/presence.js",
  "/scan/js/engine/questions.js",
  "/scan/js/engine/registry.js",
  "/scan/js/engine/terms.js",
  "/scan/js/engine/weighing.js",
  "/scan/js/giving.js",
  "/scan/js/handheld.js",
  "/scan/js/help.js",
  "/scan/js/kiosk.js",
  "/scan/js/lead.js",
  "/scan/js/locked.js",
  "/scan/js/notice-rules.js",
  "/scan/js/door-line.js",
  "/scan/js/notices.js",
  "/scan/js/outbox-store.js",
  "/scan/js/outbox.js",
  "/scan/js/override.js",
  "/scan/js/package.js",
  "/scan/js/pairing.js",
  "/scan/js/provisions.js",
  "/scan/js/pulse.js",
  "/scan/js/question-rules.js",
  "/scan/js/questions.js",
  "/scan/js/reader.js",
  "/scan/js/redeem.js",
  "/scan/js/recalls.js",
  "/scan/js/roll.js",
  "/scan/js/scan-worker.js",
  "/scan/js/scanner.js",
  "/scan/js/search.js",
  "/scan/js/sender.js",
  "/scan/js/setup.js",
  "/scan/js/shares.js",
  "/scan/js/sheets.js",
  "/scan/js/sound.js",
  "/scan/js/state.js",
  "/scan/js/store.js",
  "/scan/js/vault.js",
  "/scan/js/verdict-rules.js",
  "/scan/js/verdict.js",
  "/scan/js/wedge.js",
  "/css/base.css",
  "/css/tokens.css",
  "/i18n/en.json",
  "/i18n/fr.json",
  "/img/mark.svg",
  "/js/theme.js",
  "/lib/format.js",
  "/lib/i18n.js",
  "/lib/live-rules.js",
  "/lib/roll-rules.js",
  "/lib/theme.js",
  "/lib/tools.js",
  "/lib/ui.js",
  "/lib/uuid.js",
  "/vendor/htm.mjs",
  "/vendor/idb.mjs",
  "/vendor/preact-hooks.mjs",
  "/vendor/preact.mjs",
  "/vendor/signals-core.mjs",
  "/vendor/signals.mjs",
  "/vendor/zxing-reader.mjs",
  "/vendor/zxing-share.mjs",
  "/vendor/zxing_reader.wasm",
];
const KEPT = new Set(FILES);

addEventListener("install", (event) => {
  const fresh = FILES.map((path) => new Request(path, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)));
});

addEventListener("activate", (event) => {
  const clean = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("handheld-") && name !== CACHE) await caches.delete(name);
    }
    await clients.claim();
  };
  event.waitUntil(clean());
});

addEventListener("message", (event) => {
  if (event.data === "take over") skipWaiting();
});

addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== location.origin || !KEPT.has(pathname)) return;
  const answer = async () => {
    const cache = await caches.open(CACHE);
    return (await cache.match(pathname)) ?? fetch(event.request);
  };
  event.respondWith(answer());
});
