// An attendee's own page: ticket, agenda, announcements, people. Opened by a private link.
import { html, render, signal, useEffect } from "/lib/ui.js";
import { language, loadLanguage, t } from "/lib/i18n.js";
import { call, configuration } from "/lib/api.js";
import { clock } from "/lib/format.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";
import { load, loadedAt, materials, me, problem, takeToken, tickets, token, view } from "/js/me/state.js";
import { News, follow, unread } from "/js/me/news.js";
import { EventFeedback, Programme, now } from "/js/me/programme.js";
import { Consents } from "/js/me/consents.js";
import { People } from "/js/me/people.js";
import { SignIn } from "/js/me/sign-in.js";

const LOOK_MS = 60_000;
const PARTS = ["ticket", "agenda", "news", "people"];
const part = signal("ticket");
const status = signal("connecting");
const pictures = signal(new Map());

// The picture needs the token, so it is fetched and kept: it shows without a network.
// Of a code that its seller alone has there is none: "" in its place.
async function picture(id) {
  try {
    const answer = await fetch(`/api/v1/me/tickets/${id}/qr.svg`, {
      headers: { Authorization: `Attendee ${token.value}` },
    });
    if (answer.status === 404) pictures.value = new Map(pictures.value).set(id, "");
    if (!answer.ok) return;
    const text = await answer.text();
    localStorage.setItem(`attendee_qr_${id}`, text);
    pictures.value = new Map(pictures.value).set(id, text);
  } catch {
    const kept = localStorage.getItem(`attendee_qr_${id}`);
    if (kept) pictures.value = new Map(pictures.value).set(id, kept);
  }
}

function Ticket({ ticket }) {
  useEffect(() => {
    picture(ticket.id);
  }, [ticket.id]);
  const text = pictures.value.get(ticket.id);
  const words = text === "" ? "page.ticket.qr_elsewhere" : "page.ticket.qr_wait";
  return html`<section class="panel ticket" data-state=${ticket.state}>
    <figure class="code">
      <div class="code-box">
        ${text
          ? html`<img src=${`data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`} alt=${t("page.ticket.qr")} width="410" height="410" data-state="there" />`
          : html`<p class="code-words" role="status">${t(words)}</p>`}
      </div>
      ${text !== "" && html`<figcaption class="soft">${t("page.ticket.bright")}</figcaption>`}
    </figure>
    <div class="type-row">
      <h2 class="name">${ticket.type}</h2>
      <span class=${`chip ${ticket.state === "valid" ? "good" : "warn"}`}>${t(`page.me.state.${ticket.state}`)}</span>
    </div>
    <p class="name">${me.value.first_name} ${me.value.last_name}</p>
    ${ticket.seat && html`<p><strong class="seat name">${ticket.seat}</strong></p>`}
  </section>`;
}

function Tickets() {
  return html`<div class="cards">
    ${tickets.value.map((ticket) => html`<${Ticket} key=${ticket.id} ticket=${ticket} />`)}
    ${materials.value.length > 0 &&
    html`<section class="panel" aria-labelledby="materials">
      <h2 id="materials">${t("page.me.materials")}</h2>
      <ul class="people">
        ${materials.value.map(
          (one) => html`<li key=${one.id} class="person">
            <div>
              <p class="name"><strong>${one.title}</strong></p>
              ${one.description && html`<p class="soft small name">${one.description}</p>`}
            </div>
            ${one.file_url && html`<a class="button small" href=${one.file_url} rel="noopener">${t("page.me.open")}</a>`}
          </li>`,
        )}
      </ul>
    </section>`}
  </div>`;
}

const Agenda = () => html`<div class="cards"><${Programme} /><${EventFeedback} /></div>`;
const Others = () => html`<${People} /><${Consents} />`;
const SHOWN = { ticket: Tickets, agenda: Agenda, news: News, people: Others };

function Tabs() {
  return html`<nav class="tabs" aria-label=${t("page.me.parts")}>
    ${PARTS.map(
      (name) => html`<button
        key=${name}
        type="button"
        class="tab"
        aria-current=${part.value === name ? "page" : undefined}
        onClick=${() => (part.value = name)}
      >
        ${t(`page.me.tab.${name}`)}
        ${name === "news" &&
        unread.value > 0 &&
        html`<span class="count figure" aria-label=${t("page.me.unread", { n: unread.value })}>${unread.value}</span>`}
      </button>`,
    )}
  </nav>`;
}

function Body() {
  if (view.value === "sign_in") return html`<${SignIn} />`;
  if (view.value === "loading") {
    return html`<div class="panel" role="status" aria-label=${t("page.all.loading")}><span class="skeleton code-box"></span></div>`;
  }
  if (view.value === "trouble") {
    return html`<div class="panel message" role="alert">
      <h1>${t("page.all.trouble")}</h1>
      <p>${t("page.all.no_answer")}</p>
      <button class="button primary" type="button" onClick=${load}>${t("page.all.again")}</button>
    </div>`;
  }
  const away = problem.value !== null || status.value === "lost";
  return html`<h1 class="name">${me.value.title}</h1>
    ${away &&
    html`<p class="notice warn" role="status">
      ${t("page.ticket.old", { when: clock(loadedAt.value, me.value.timezone) })}
    </p>`}
    <${Tabs} />
    <${SHOWN[part.value]} />`;
}

function Page() {
  void language.value;
  useEffect(() => {
    document.title = view.value === "page" ? `${t("page.me.title")} · ${me.value.title}` : t("page.me.title");
  });
  return html`<div class="page">
    <header class="top">
      <span class="brand"><img src="/img/mark.svg" alt="" />${t("page.me.title")}</span>
      <div class="tools"><${LanguageSwitch} /><${ThemeSwitch} /></div>
    </header>
    <main><${Body} /></main>
  </div>`;
}

let following = null;
async function connect() {
  if (view.value !== "page" || following === token.value) return;
  following = token.value;
  const config = await configuration();
  const live = follow(config.live_url);
  live.status.subscribe((word) => (status.value = word));
}

takeToken();
// So that the ticket opens with no network; a browser that cannot goes on without.
navigator.serviceWorker?.register("/me-sw.js", { scope: "/me.html" }).catch(() => {});
await loadLanguage();
render(html`<${Page} />`, document.getElementById("app"));
view.subscribe(() => connect().catch(() => (following = null)));
document.addEventListener("visibilitychange", () => !document.hidden && load());
window.addEventListener("online", load);
setInterval(() => {
  now.value = Date.now();
  if (!document.hidden && view.value === "page" && Date.now() - loadedAt.value > LOOK_MS) load();
}, 20_000);
await load();
