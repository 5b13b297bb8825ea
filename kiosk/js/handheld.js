// The handheld: opens the store, pairs or scans, and listens to camera and keys.
import { html, render, signal } from "/lib/ui.js";
import { language, loadLanguage, t } from "/lib/i18n.js";
import { Alone } from "/scan/js/alone.js";
import { Camera } from "/scan/js/camera.js";
import { countTold } from "/scan/js/clicker.js";
import { holdPins } from "/scan/js/dialog.js";
import { Desk } from "/scan/js/desk.js";
import { deviceBytes, deviceCall } from "/scan/js/device-api.js";
import { DoorLine } from "/scan/js/door-line.js";
import { callSent, forgetCall, watchCalls } from "/scan/js/help.js";
import { KioskPage } from "/scan/js/kiosk.js";
import { LeadDesk, LeadPage } from "/scan/js/lead.js";
import { Locked } from "/scan/js/locked.js";
import { Notices } from "/scan/js/notices.js";
import { Outbox } from "/scan/js/outbox.js";
import { openOutbox } from "/scan/js/outbox-store.js";
import { Pairing, pairWith } from "/scan/js/pairing.js";
import { Provisions } from "/scan/js/provisions.js";
import { Pulse } from "/scan/js/pulse.js";
import { Recalls } from "/scan/js/recalls.js";
import { RollKeeper } from "/scan/js/roll.js";
import { Scanner } from "/scan/js/scanner.js";
import { Sheets } from "/scan/js/sheets.js";
import { soundReady, unlockSound } from "/scan/js/sound.js";
import * as state from "/scan/js/state.js";
import { openStore } from "/scan/js/store.js";
import { Vault } from "/scan/js/vault.js";
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
  const post = deviceCall(device.token, (status) => {
    // Locked meanwhile: known at the first answer, not at the next heartbeat.
    if (status === 423) state.config.value = { ...state.config.value, locked: true };
  });
  state.device.value = device;
  const kept = await openOutbox();
  const outbox = new Outbox({ store: kept, post, tell: listener });
  const lead = device.profile === "lead";
  // One event: the address names it. Several: the ticket finds its own.
  const several = (device.serves?.length ?? 1) > 1;
  const eventId = device.event.id;
  const unsent = async () => (await kept.all()).map(({ id }) => id);
  const alone = new Alone({ store, bytes: deviceBytes(device.token), eventId, unsent });
  const vault = new Vault({ store });
  const provisions = new Provisions({ alone, post, eventId, vault });
  if (!lead) holdPins(provisions);
  if (!lead) await provisions.open();
  const desk = lead
    ? new LeadDesk({ post, outbox, eventId })
    : new Desk({ store, post, eventId, several, alone, outbox });
  const camera = new Camera((code) => desk.read(code, "qr_code"));
  const notices = new Notices({ store, eventId });
  await notices.open();
  const keeper = new RollKeeper({ store, post, outbox, vault, eventId });
  work.value = { desk, camera, post, outbox, lead, notices, keeper };
  await outbox.resume();
  if (!lead) await keeper.open();
  await desk.start();
  if (!lead) watchCalls(post);
  state.screen.value = "scanning";
  document.title = `${state.gate.value?.name ?? t("page.scan.title")} · ${t("page.scan.title")}`;
  new Pulse({
    post,
    version: VERSION,
    changed: () => store.keep("config", state.config.value),
  }).start();
  if (!lead) {
    provisions.start();
    keeper.start();
    const follows = [notices, new DoorLine({ eventId })];
    new Recalls({ device, alone, post, flush: () => desk.sender.pump(), follows }).start();
  }
  keepAwake();
}

// What the outbox tells: by the kind of what was sent.
const listener = {
  done(entry, data) {
    if (entry.kind === "help") callSent(entry.id);
    if (entry.kind === "count") countTold(data);
    if (entry.kind === "lead") work.value.desk.done(entry.id, data);
    if (entry.kind === "roll") work.value.keeper.done();
  },
  refused(entry) {
    if (entry.kind === "help") forgetCall(entry.id);
    if (entry.kind === "lead") work.value.desk.done(entry.id, { outcome: "unknown", lead: null });
  },
  count() {},
};

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
    if (state.locked.value || (state.sheet.value && state.sheet.value !== "band")) return;
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
    if (event.key === "Escape" && state.shown.value && !state.sheet.value) work.value.desk.dismiss();
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
  const { desk, camera, post, outbox, lead, notices, keeper } = work.value;
  if (state.locked.value) return html`<${Locked} post=${post} />`;
  if (lead) return html`<${LeadPage} desk=${desk} camera=${camera} />`;
  const sheets = html`<${Sheets} desk=${desk} post=${post} camera=${camera} outbox=${outbox} keeper=${keeper} unpair=${unpair} />`;
  if (state.device.value.profile === "kiosk") {
    return html`<${KioskPage} desk=${desk} camera=${camera} post=${post} />${sheets}`;
  }
  return html`<${Scanner} desk=${desk} camera=${camera} notices=${notices} />
    <${Verdict} desk=${desk} />
    ${sheets}`;
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
