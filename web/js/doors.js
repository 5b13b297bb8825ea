// What door managers do: doors, devices, help, the log, and why somebody would be refused.
import { html, render, signal } from "/lib/ui.js";
import { language, loadLanguage, t } from "/lib/i18n.js";
import { call, rememberSignIn, setCsrf, signedInBefore } from "/lib/api.js";
import { Live } from "/lib/live.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";
import { Calls } from "/js/doors/calls.js";
import { Fleet } from "/js/doors/fleet.js";
import { Log } from "/js/doors/log.js";
import { alerts, event, eventId, live, loadEvent, now, said, sentenceOf, take, TOPICS } from "/js/doors/model.js";
import { Offline } from "/js/doors/offline.js";
import { States } from "/js/doors/states.js";
import { Stops } from "/js/doors/stops.js";
import { Why } from "/js/doors/why.js";

const Doors = () => html`<${States} /><${Stops} />`;
const TABS = { states: Doors, fleet: Fleet, calls: Calls, offline: Offline, log: Log, why: Why };

const tab = signal(TABS[location.hash.slice(1)] ? location.hash.slice(1) : "states");
const trouble = signal(null);

function choose(name) {
  tab.value = name;
  said.value = null;
  history.replaceState(null, "", `#${name}`);
}

function Tabs() {
  const open = alerts.value.calls.filter(({ seen_at: seen }) => !seen).length;
  return html`<nav class="tabs no-print" aria-label=${t("page.doors.title")}>
    ${Object.keys(TABS).map(
      (name) => html`<button
        type="button"
        key=${name}
        class="tab"
        aria-current=${tab.value === name ? "page" : undefined}
        onClick=${() => choose(name)}
      >
        ${t(`page.doors.tab.${name}`)}
        ${name === "calls" && open > 0 && html`<span class="chip bad figure">${open}</span>`}
      </button>`,
    )}
  </nav>`;
}

function Page() {
  void language.value;
  const connection = live.value?.status.value ?? "connecting";
  const Part = TABS[tab.value];
  return html`<div class="doors">
    <header class="doors-top no-print">
      <a class="top-home" href=${`/control.html?event=${eventId}`}>← ${t("page.control.title")}</a>
      <h1 class="name">${event.value?.title ?? t("page.doors.title")}</h1>
      <span class=${`chip ${connection === "live" ? "good" : connection === "connecting" ? "" : "bad"}`} role="status">
        ${t(`page.live.${connection}`)}
      </span>
      <span class="row"><${LanguageSwitch} /><${ThemeSwitch} /></span>
    </header>
    <${Tabs} />
    <main class="doors-main">
      ${said.value &&
      html`<p class=${`notice no-print ${said.value.bad ? "bad" : ""}`} role=${said.value.bad ? "alert" : "status"}>
        ${said.value.words}
      </p>`}
      ${trouble.value && html`<p class="notice bad" role="alert">${trouble.value}</p>`}
      ${event.value ? html`<${Part} />` : !trouble.value && html`<p class="empty" role="status">${t("page.all.loading")}</p>`}
    </main>
  </div>`;
}

async function signedIn() {
  if (!signedInBefore()) return false;
  try {
    const me = await call("GET", "/api/v1/auth/me");
    setCsrf(me.csrf_token);
    return true;
  } catch (error) {
    if (error.status === 401) rememberSignIn(false);
    return error.status !== 401;
  }
}

async function start() {
  await loadLanguage();
  if (!eventId) {
    location.replace("/");
    return;
  }
  render(html`<${Page} />`, document.getElementById("app"));
  if (!(await signedIn())) {
    const here = `${location.pathname}${location.search}`;
    location.replace(`/?next=${encodeURIComponent(here)}`);
    return;
  }
  try {
    await loadEvent();
  } catch (error) {
    trouble.value = sentenceOf(error);
    return;
  }
  document.title = `${t("page.doors.title")} · ${event.value.title}`;
  const config = await call("GET", "/config.json");
  const topics = TOPICS.map((kind) => `event:${eventId}:${kind}`);
  live.value = new Live(config.live_url, topics, { take, refuse: () => {} }).start();
  setInterval(() => {
    now.value = Date.now() + (live.value?.skewMs.value ?? 0);
  }, 1_000);
}

await start();
