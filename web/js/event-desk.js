// What pages of one event share: signing in, the event's plan, the live line, one way to
// act, and the bar on top. A page gives its topics, its tabs and what it does with data.
import { computed, html, render, signal } from "/lib/ui.js";
import { call, rememberSignIn, setCsrf, signedInBefore } from "/lib/api.js";
import { language, loadLanguage, t } from "/lib/i18n.js";
import { Live } from "/lib/live.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";

export const eventId = new URLSearchParams(location.search).get("event");
export const base = `/api/v1/events/${eventId}`;
export const event = signal(null);
export const live = signal(null);
export const now = signal(Date.now());
// What went wrong or well last: {bad, words}.
export const said = signal(null);
export const busy = signal(false);
export const trouble = signal(null);
export const zone = computed(() => event.value?.timezone);

export function sentenceOf(error) {
  if (error.code === "no_answer") return t("page.all.no_answer");
  const first = error.errors?.[0];
  return first ? `${first.field}: ${first.message ?? first.detail ?? ""}` : error.detail || error.message;
}

// Acts and says what came of it; null where it failed.
export async function act(method, path, body, words = "page.all.done") {
  busy.value = true;
  try {
    const answer = await call(method, path, body);
    said.value = { bad: false, words: t(words) };
    return answer ?? true;
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error), code: error.code };
    return null;
  } finally {
    busy.value = false;
  }
}

function Top({ title }) {
  const connection = live.value?.status.value ?? "connecting";
  const tone = { live: "good", connecting: "" }[connection] ?? "bad";
  return html`<header class="doors-top no-print">
    <a class="top-home" href=${`/control.html?event=${eventId}`}>← ${t("page.control.title")}</a>
    <h1 class="name">${t(title)} <span class="soft name">${event.value?.title ?? ""}</span></h1>
    <span class=${`chip ${tone}`} role="status">${t(`page.live.${connection}`)}</span>
    <span class="row"><${LanguageSwitch} /><${ThemeSwitch} /></span>
  </header>`;
}

export function Tabs({ name, tabs, chosen, counts = {} }) {
  return html`<nav class="tabs no-print" aria-label=${t(`page.${name}.title`)}>
    ${tabs.map(
      (tab) => html`<button
        type="button"
        key=${tab}
        class="tab"
        aria-current=${chosen.value === tab ? "page" : undefined}
        onClick=${() => {
          chosen.value = tab;
          said.value = null;
          history.replaceState(null, "", `#${tab}`);
        }}
      >
        ${t(`page.${name}.tab.${tab}`)}
        ${counts[tab] > 0 && html`<span class="chip bad figure">${counts[tab]}</span>`}
      </button>`,
    )}
  </nav>`;
}

function Page({ title, Body }) {
  void language.value;
  return html`<div class="doors">
    <${Top} title=${title} />
    <main class="doors-main">
      ${said.value &&
      html`<p class=${`notice no-print ${said.value.bad ? "bad" : ""}`} role=${said.value.bad ? "alert" : "status"}>
        ${said.value.words}
      </p>`}
      ${trouble.value && html`<p class="notice bad" role="alert">${trouble.value}</p>`}
      ${event.value
        ? html`<${Body} />`
        : !trouble.value && html`<p class="empty" role="status">${t("page.all.loading")}</p>`}
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

// title: a text's key. topics, take(kind-named topic, data, act): as `Live` has them.
export async function openDesk({ title, topics, take, Body, ready = async () => {} }) {
  await loadLanguage();
  if (!eventId) {
    location.replace("/");
    return;
  }
  render(html`<${Page} title=${title} Body=${Body} />`, document.getElementById("app"));
  if (!(await signedIn())) {
    const here = `${location.pathname}${location.search}`;
    location.replace(`/?next=${encodeURIComponent(here)}`);
    return;
  }
  try {
    event.value = await call("GET", base);
    await ready();
  } catch (error) {
    trouble.value = sentenceOf(error);
    return;
  }
  document.title = `${t(title)} · ${event.value.title}`;
  const config = await call("GET", "/config.json");
  const names = topics.map((kind) => `event:${eventId}:${kind}`);
  live.value = new Live(config.live_url, names, { take, refuse: () => {} }).start();
  setInterval(() => {
    now.value = Date.now() + (live.value?.skewMs.value ?? 0);
  }, 1_000);
}
