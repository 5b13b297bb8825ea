// The handheld: opens the store, pairs or scans, and listens to camera and keys.
import { html, render, signal } from "/lib/ui.js";
import { language, loadLanguage, t } from "/lib/i18n.js";
import { Camera } from "/scan/js/camera.js";
import { Desk } from "/scan/js/desk.js";
import { deviceCall } from "/scan/js/device-api.js";
import { Pairing, pairWith } from "/scan/js/pairing.js";
import { Pulse } from "/scan/js/pulse.js";
import { Scanner } from "/scan/js/scanner.js";
import { Sheets } from "/scan/js/sheets.js";
import { soundReady, unlockSound } from "/scan/js/sound.js";
import * as state from "/scan/js/state.js";
import { openStore } from "/scan/js/store.js";
import { Verdict } from "/scan/js/verdict.js";
import { Wedge } from "/scan/js/wedge.js";

const VERSION = "handheld 1";
// The link from the control room: the code stands behind the #, which no log sees.
const asked =
  new URLSearchParams(location.hash.slice(1)).get("pair") ??
  new URLSearchParams(location.search).get("pair") ??
  "";

const work = signal(null);
let store = null;

async function scanWith(device) {
  const post = deviceCall(device.token);
  state.device.value = device;
  const desk = new Desk({ store, post, eventId: device.event.id });
  const camera = new Camera((code) => desk.read(code, "qr_code"));
  work.value = { desk, camera, post };
  await desk.start();
  state.screen.value = "scanning";
  document.title = `${state.gate.value?.name ?? t("page.scan.title")} · ${t("page.scan.title")}`;
  new Pulse({
    post,
    version: VERSION,
    changed: () => store.keep("config", state.config.value),
  }).start();
  keepAwake();
}

async function pair(code) {
  const hardware = await store.fact("hardware");
  await pairWith(code, {
    post: deviceCall(null),
    hardware,
    version: VERSION,
    paired: async (device) => {
      await store.keep("device", device);
      await scanWith(device);
    },
  });
}

async function unpair() {
  await store.forgetAll();
  location.replace("/scan/");
}

function listenToKeys() {
  const wedge = new Wedge();
  const typed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || state.screen.value !== "scanning") return;
    if (state.sheet.value) return;
    const { code, inBurst } = wedge.key(event.key, event.timeStamp);
    // A scanner's Enter must not press whatever has the focus.
    if (inBurst && (code || event.key === "Enter")) event.preventDefault();
    if (!code) return;
    event.stopPropagation();
    if (event.target.matches?.("input")) event.target.value = "";
    work.value.desk.read(code, "wedge");
  };
  addEventListener("keydown", typed, { capture: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.shown.value) work.value.desk.dismiss();
  });
  const unlock = () => {
    if (!soundReady.value) unlockSound();
  };
  addEventListener("pointerdown", unlock, { passive: true });
  addEventListener("keydown", unlock, { passive: true });
}

// A screen that goes dark in the queue costs a guest's time; not every browser can.
async function keepAwake() {
  const hold = () => {
    if (document.visibilityState === "visible") {
      navigator.wakeLock?.request("screen").catch(() => {});
    }
  };
  document.addEventListener("visibilitychange", hold);
  hold();
}

async function prepareForOffline() {
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.register("/scan/sw.js", { scope: "/scan/" });
  // A new version takes over between two visits, never during one.
  registration.waiting?.postMessage("take over");
}

function App() {
  void language.value;
  if (state.screen.value === "pairing") return html`<${Pairing} pair=${pair} preset=${asked} />`;
  if (state.screen.value !== "scanning") {
    return html`<p class="opening" role="status">${t("page.all.loading")}</p>`;
  }
  const { desk, camera, post } = work.value;
  return html`<${Scanner} desk=${desk} camera=${camera} />
    <${Verdict} desk=${desk} />
    <${Sheets} post=${post} camera=${camera} unpair=${unpair} />`;
}

async function start() {
  await loadLanguage();
  render(html`<${App} />`, document.getElementById("app"));
  store = await openStore();
  if (!(await store.fact("hardware"))) await store.keep("hardware", crypto.randomUUID());
  listenToKeys();
  const device = await store.fact("device");
  if (asked) history.replaceState(null, "", "/scan/");
  if (asked && device === undefined) {
    state.screen.value = "pairing";
    await pair(asked);
  } else if (device === undefined) {
    state.screen.value = "pairing";
  } else {
    state.config.value = (await store.fact("config")) ?? null;
    state.operator.value = state.config.value?.operator ?? null;
    await scanWith(device);
  }
  await prepareForOffline();
}

await start();
