// Sign-in, then the list of events; each leads to its control room.
import { html, render, signal, useEffect, useRef } from "/lib/ui.js";
import { language, loadLanguage, locale, t } from "/lib/i18n.js";
import { call, rememberSignIn, setCsrf, signedInBefore } from "/lib/api.js";
import { day } from "/lib/format.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";

// view: "loading", "sign-in", "events", "trouble"
const view = signal("loading");
const user = signal(null);
const events = signal([]);
const problem = signal(null);
const busy = signal(false);

async function open() {
  if (!signedInBefore()) {
    view.value = "sign-in";
    return;
  }
  view.value = "loading";
  try {
    const me = await call("GET", "/api/v1/auth/me");
    setCsrf(me.csrf_token);
    user.value = me.user ?? me;
    await showEvents();
  } catch (error) {
    if (error.status === 401) {
      rememberSignIn(false);
      view.value = "sign-in";
    }
    else {
      problem.value = error;
      view.value = "trouble";
    }
  }
}

async function showEvents() {
  const wanted = new URLSearchParams(location.search).get("next");
  // Only an address of this site: a link must not lead a signed-in person elsewhere.
  if (wanted && /^\/[a-z]/.test(wanted)) {
    location.replace(wanted);
    return;
  }
  const list = await call("GET", "/api/v1/events?limit=100&labels=true");
  events.value = list.items;
  view.value = "events";
}

async function signIn(form) {
  busy.value = true;
  problem.value = null;
  try {
    const answer = await call("POST", "/api/v1/auth/login", {
      email: form.email.value.trim(),
      password: form.password.value,
      cookie: true,
    });
    setCsrf(answer.csrf_token);
    rememberSignIn(true);
    user.value = answer.user;
    await showEvents();
  } catch (error) {
    problem.value = error;
  } finally {
    busy.value = false;
  }
}

async function signOut() {
  try {
    await call("POST", "/api/v1/auth/logout");
  } finally {
    rememberSignIn(false);
    location.assign("/");
  }
}

function sentenceFor(error) {
  if (error.code === "no_answer") return t("page.all.no_answer");
  if (error.status === 429) return t("page.login.wait");
  if (error.status === 401) return t("page.login.wrong");
  if (error.code === "locked") return t("page.login.locked");
  return error.detail || error.message;
}

function SignIn() {
  const first = useRef(null);
  const alarm = useRef(null);
  useEffect(() => first.current.focus(), []);
  useEffect(() => {
    if (problem.value) alarm.current?.focus();
  }, [problem.value]);
  const bad = problem.value !== null;
  return html`<form
    class="panel sign-in"
    onSubmit=${(event) => {
      event.preventDefault();
      signIn(event.currentTarget.elements);
    }}
  >
    <div>
      <h1>${t("page.login.title")}</h1>
      <p class="soft">${t("page.login.hint")}</p>
    </div>
    ${bad &&
    html`<p class="notice bad" role="alert" tabindex="-1" ref=${alarm}>
      ${sentenceFor(problem.value)}
    </p>`}
    <div class="field">
      <label for="email">${t("page.login.email")}</label>
      <input
        class="input"
        id="email"
        name="email"
        type="email"
        autocomplete="username"
        required
        ref=${first}
        aria-invalid=${bad}
      />
    </div>
    <div class="field">
      <label for="password">${t("page.login.password")}</label>
      <input
        class="input"
        id="password"
        name="password"
        type="password"
        autocomplete="current-password"
        required
        aria-invalid=${bad}
      />
    </div>
    <button class="button primary" type="submit" disabled=${busy.value}>
      ${t(busy.value ? "page.login.busy" : "page.login.go")}
    </button>
  </form>`;
}

const TONE = { live: "good", published: "", draft: "warn", completed: "", cancelled: "bad" };

function EventCard({ event }) {
  return html`<li>
    <a class="panel event-card" href=${`/control.html?event=${event.id}`}>
      <div class="row">
        <span class=${`chip ${TONE[event.status] ?? ""}`}>
          ${t(`page.event.status.${event.status}`)}
        </span>
        <span class="soft small">${event.labels?.venue_id ?? ""}</span>
      </div>
      <h2 class="name">${event.title}</h2>
      <p class="soft">${day(event.starts_at, locale(), event.timezone)}</p>
      <span class="go">${t("page.home.control")} →</span>
    </a>
  </li>`;
}

function Events() {
  return html`<div class="events">
    <div class="events-head">
      <h1>${t("page.home.events")}</h1>
      <p class="soft">${t("page.home.signed_in", { name: user.value?.name ?? user.value?.email })}</p>
    </div>
    ${events.value.length === 0
      ? html`<p class="panel empty">${t("page.home.empty")}</p>`
      : html`<ul class="event-list">
          ${events.value.map((event) => html`<${EventCard} key=${event.id} event=${event} />`)}
        </ul>`}
  </div>`;
}

function Trouble() {
  return html`<div class="panel sign-in" role="alert">
    <h1>${t("page.all.trouble")}</h1>
    <p>${sentenceFor(problem.value)}</p>
    <button class="button primary" type="button" onClick=${open}>${t("page.all.again")}</button>
  </div>`;
}

function Home() {
  // Reading the language here redraws the page when it changes.
  void language.value;
  const views = {
    loading: html`<p class="soft" role="status">${t("page.all.loading")}</p>`,
    "sign-in": html`<${SignIn} />`,
    events: html`<${Events} />`,
    trouble: html`<${Trouble} />`,
  };
  return html`<div class="home">
    <header class="home-top">
      <span class="brand"><img src="/img/mark.svg" alt="" />${t("page.all.product")}</span>
      <div class="home-tools">
        ${user.value && html`<a class="button plain" href="/crm.html">${t("page.home.crm")}</a>`}
        <a class="button plain" href="/docs/">${t("page.home.docs")}</a>
        <${LanguageSwitch} />
        <${ThemeSwitch} />
        ${user.value &&
        html`<button type="button" class="button plain" onClick=${signOut}>
          ${t("page.home.sign_out")}
        </button>`}
      </div>
    </header>
    <main class="home-main">${views[view.value]}</main>
  </div>`;
}

await loadLanguage();
document.title = t("page.all.product");
render(html`<${Home} />`, document.getElementById("app"));
await open();
