// The control room. All that it shows comes from the live socket and nowhere else.
import { effect, html, render } from "/lib/ui.js";
import { language, loadLanguage, t } from "/lib/i18n.js";
import { configuration, signedIn } from "/lib/api.js";
import { Live } from "/lib/live.js";
import { switchTheme } from "/lib/theme.js";
import { Alerts } from "/js/control/alerts.js";
import { Calls, listenForCalls } from "/js/control/calls.js";
import { Curve } from "/js/control/curve.js";
import { Devices } from "/js/control/devices.js";
import { EmergencyStrip } from "/js/control/emergency.js";
import { Gates } from "/js/control/gates.js";
import { Hero, Tiles } from "/js/control/hero.js";
import {
  attendance,
  eventId,
  fresh,
  live,
  refuse,
  status,
  take,
  tick,
  TOPICS,
} from "/js/control/model.js";
import { Areas, Sessions } from "/js/control/places.js";
import { Ticker } from "/js/control/ticker.js";
import { readStaff } from "/js/control/staff.js";
import { StaleBanner, switchTv, Top, tv } from "/js/control/top.js";

function Room() {
  void language.value;
  const state = fresh.value ? "fresh" : attendance.value ? "stale" : "loading";
  return html`<div class=${`room ${tv.value ? "tv" : ""}`} data-state=${state}>
    <a class="skip" href="#figures">${t("page.control.skip")}</a>
    <${Top} />
    <div class="banners"><${StaleBanner} /><${EmergencyStrip} /></div>
    <${Calls} />
    <main id="figures" class="board" tabindex="-1" aria-busy=${state === "loading"}>
      <${Hero} />
      <${Tiles} />
      <${Alerts} />
      <${Curve} />
      <${Areas} />
      <${Sessions} />
      <${Gates} />
      <${Devices} />
      <${Ticker} />
    </main>
  </div>`;
}

// Keys with Alt only: a single letter would act while somebody dictates or types.
const toFilter = () => document.getElementById("ticker-words")?.focus();
const KEYS = { KeyT: switchTv, KeyD: switchTheme, KeyK: toFilter };

function listenToKeys() {
  addEventListener("keydown", (event) => {
    if (event.altKey && !event.ctrlKey && KEYS[event.code]) {
      event.preventDefault();
      KEYS[event.code]();
    } else if (event.key === "Escape" && tv.value) {
      switchTv();
    }
  });
}

async function start() {
  await loadLanguage();
  if (!eventId) {
    location.replace("/");
    return;
  }
  render(html`<${Room} />`, document.getElementById("app"));
  if (!(await signedIn())) {
    const here = `${location.pathname}${location.search}`;
    location.replace(`/?next=${encodeURIComponent(here)}`);
    return;
  }
  const config = await configuration();
  const topics = TOPICS.map((kind) => `event:${eventId}:${kind}`);
  live.value = new Live(config.live_url, topics, { take, refuse }).start();
  setInterval(tick, 1_000);
  listenToKeys();
  listenForCalls();
  readStaff();
  effect(() => {
    const title = attendance.value?.event.title ?? t("page.control.title");
    const inside = attendance.value?.figures.inside;
    const warning = status.value === "lost" ? "⚠ " : "";
    document.title = inside === undefined ? title : `${warning}${inside} · ${title}`;
  });
}

await start();
