// Alerts in full: their history, the numbers of each rule, the walks between gates, shifts.
import { html, render, signal } from "/lib/ui.js";
import { language, loadLanguage, t } from "/lib/i18n.js";
import { call, rememberSignIn, setCsrf, signedInBefore } from "/lib/api.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";
import { event, eventId, loadEvent, said, sentenceOf } from "/js/doors/model.js";
import { History } from "/js/watch/history.js";
import { Rules } from "/js/watch/rules.js";
import { Shifts } from "/js/watch/shifts.js";
import { Walks } from "/js/watch/walks.js";

const TABS = { history: History, shifts: Shifts, rules: Rules, walks: Walks };

const tab = signal(TABS[location.hash.slice(1)] ? location.hash.slice(1) : "history");
const trouble = signal(null);

function choose(name) {
  tab.value = name;
  said.value = null;
  history.replaceState(null, "", `#${name}`);
}

function Page() {
  void language.value;
  const Part = TABS[tab.value];
  return html`<div class="doors">
    <header class="doors-top no-print">
      <a class="top-home" href=${`/control.html?event=${eventId}`}>← ${t("page.control.title")}</a>
      <h1 class="name">${event.value?.title ?? t("page.alert.title")}</h1>
      <span class="row"><${LanguageSwitch} /><${ThemeSwitch} /></span>
    </header>
    <nav class="tabs no-print" aria-label=${t("page.alert.title")}>
      ${Object.keys(TABS).map(
        (name) => html`<button
          type="button"
          key=${name}
          class="tab"
          aria-current=${tab.value === name ? "page" : undefined}
          onClick=${() => choose(name)}
        >
          ${t(`page.watch.tab.${name}`)}
        </button>`,
      )}
    </nav>
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
    setCsrf((await call("GET", "/api/v1/auth/me")).csrf_token);
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
    const here = `${location.pathname}${location.search}${location.hash}`;
    location.replace(`/?next=${encodeURIComponent(here)}`);
    return;
  }
  try {
    await loadEvent();
  } catch (error) {
    trouble.value = sentenceOf(error);
    return;
  }
  document.title = `${t("page.alert.title")} · ${event.value.title}`;
}

await start();
