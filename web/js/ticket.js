// The page that a ticket's QR opens: the code to hold up, and the agenda.
import { html, render, signal, useEffect } from "/lib/ui.js";
import { has, language, loadLanguage, locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { byDay, codeOf, dayKey, phase } from "/lib/agenda.js";
import { clock, count, day, zoneName } from "/lib/format.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";
import { listen, News, Urgent } from "/js/ticket-news.js";

const LOOK_MS = 20_000;
const RETRY_MS = 3_000;
// The door may still say yes to these: the code is shown for the desk to read.
const READABLE = ["valid", "desk"];

const code = codeOf(location.pathname);
// view: "loading", "ticket", "unknown", "trouble"
const view = signal("loading");
const data = signal(null);
const problem = signal(null);
const loadedAt = signal(0);
const now = signal(Date.now());

async function load() {
  if (code === null) {
    view.value = "unknown";
    return;
  }
  try {
    data.value = await call("GET", `/api/v1/ticket/${code}`);
    loadedAt.value = Date.now();
    problem.value = null;
    view.value = "ticket";
    listen(data.value.event.id, code);
  } catch (error) {
    if (error.status === 404) {
      view.value = "unknown";
    } else {
      // A ticket that was shown stays: networks are worst in front of the doors.
      problem.value = error;
      if (data.value === null) view.value = "trouble";
    }
  }
}

function look() {
  now.value = Date.now();
  const old = now.value - loadedAt.value > LOOK_MS;
  if (!document.hidden && view.value !== "unknown" && old) load();
}

// Ten thousand phones must not ask again in the same second.
const soon = () => RETRY_MS * (1 + Math.random());

function Picture({ known }) {
  const attempt = known.attempt.value;
  useEffect(() => {
    if (known.state.value !== "failed") return undefined;
    const timer = setTimeout(() => {
      known.attempt.value = attempt + 1;
      known.state.value = "waiting";
    }, soon());
    return () => clearTimeout(timer);
  }, [known.state.value, attempt]);
  const again = attempt === 0 ? "" : `?again=${attempt}`;
  return html`<figure class="code">
    <div class="code-box">
      <img
        key=${attempt}
        src=${`/api/v1/ticket/${code}/qr.svg${again}`}
        alt=${t("page.ticket.qr")}
        width="410"
        height="410"
        data-state=${known.state.value}
        onLoad=${() => (known.state.value = "there")}
        onError=${() => (known.state.value = "failed")}
      />
      ${known.state.value !== "there" &&
      html`<p class="code-words" role="status">
        ${t(known.state.value === "failed" ? "page.ticket.qr_failed" : "page.ticket.qr_wait")}
      </p>`}
    </div>
    <figcaption class="soft">${t("page.ticket.bright")}</figcaption>
  </figure>`;
}

const picture = { attempt: signal(0), state: signal("waiting") };

function moment(at, zone) {
  return `${day(at, locale(), zone)}, ${clock(at, zone)}`;
}

// The day is said only where it is not the event's first.
function doors({ doors_open_at: at, starts_at: start, timezone: zone }) {
  return dayKey(at, zone) === dayKey(start, zone) ? clock(at, zone) : moment(at, zone);
}

function Validity({ ticket, zone }) {
  const from = ticket.valid_from && moment(ticket.valid_from, zone);
  const to = ticket.valid_to && moment(ticket.valid_to, zone);
  if (from && to) return t("page.ticket.valid_between", { when: from, until: to });
  return from ? t("page.ticket.valid_from", { when: from }) : t("page.ticket.valid_to", { when: to });
}

const TONE = { valid: "good", desk: "warn" };

function Facts({ ticket, event }) {
  const zone = event.timezone;
  const facts = [
    ["seat", ticket.seat && html`<strong class="seat name">${ticket.seat}</strong>`],
    ["admits", ticket.admits > 1 && t("page.ticket.people", { n: count(ticket.admits, locale()) })],
    [
      "validity",
      (ticket.valid_from || ticket.valid_to) &&
        html`<${Validity} ticket=${ticket} zone=${zone} />`,
    ],
    ["doors", event.doors_open_at && doors(event)],
    [
      "venue",
      event.venue &&
        html`<span class="name">${event.venue}</span>${event.address &&
          html`<br /><span class="name soft">${event.address}</span>`}`,
    ],
  ].filter(([, value]) => value);
  return html`<dl class="facts">
    ${facts.map(
      ([word, value]) =>
        html`<div key=${word}><dt>${t(`page.ticket.${word}`)}</dt><dd>${value}</dd></div>`,
    )}
  </dl>`;
}

function Ticket() {
  const { ticket, event } = data.value;
  const readable = READABLE.includes(ticket.state);
  return html`<section class="panel ticket" aria-label=${t("page.ticket.title")} data-state=${ticket.state}>
    ${event.status === "cancelled" &&
    html`<p class="notice bad" role="status">${t("page.ticket.event.cancelled")}</p>`}
    ${event.status === "completed" &&
    html`<p class="notice" role="status">${t("page.ticket.event.completed")}</p>`}
    ${ticket.state === "desk" &&
    html`<p class="notice warn" role="status">${t("page.ticket.say.desk")}</p>`}
    ${readable
      ? html`<${Picture} known=${picture} />`
      : html`<div class="no-code" role="status">
          <svg viewBox="0 0 64 64" aria-hidden="true">
            <path d="M16 16l32 32M48 16L16 48" fill="none" stroke="currentColor" stroke-width="9" stroke-linecap="round" />
          </svg>
          <strong>${t(`page.ticket.state.${ticket.state}`)}</strong>
          <span>${t(`page.ticket.say.${ticket.state}`)}</span>
        </div>`}
    ${ticket.type &&
    html`<div class="type-row">
      <h2 class="name">${ticket.type}</h2>
      <span class=${`chip ${TONE[ticket.state] ?? "bad"}`}>${t(`page.ticket.state.${ticket.state}`)}</span>
    </div>`}
    <${Facts} ticket=${ticket} event=${event} />
    <a class="button own" href=${`/me.html?event=${event.id}`}>${t("page.ticket.own")}</a>
  </section>`;
}

function Session({ line, zone }) {
  const is = phase(line, now.value);
  const kind = `page.ticket.session.${line.type}`;
  const about = [line.room, has(kind) && t(kind)].filter(Boolean);
  return html`<li class="session" data-phase=${is}>
    <p class="hours figure">
      <time datetime=${line.starts_at}>${clock(line.starts_at, zone)}</time>
      <span class="soft">–<time datetime=${line.ends_at}>${clock(line.ends_at, zone)}</time></span>
    </p>
    <div>
      <p class="session-title name">${line.title}</p>
      <p class="soft small name">${about.join(" · ")}</p>
    </div>
    ${is === "now" && html`<span class="chip good">${t("page.ticket.now")}</span>`}
    ${(is === "cancelled" || is === "postponed") &&
    html`<span class="chip bad">${t(`page.ticket.session_status.${is}`)}</span>`}
  </li>`;
}

function Agenda() {
  const { agenda, event } = data.value;
  const zone = event.timezone;
  return html`<section class="panel agenda" aria-labelledby="agenda">
    <h2 id="agenda">${t("page.ticket.agenda")}</h2>
    <p class="soft small">${t("page.ticket.zone", { zone: zoneName(locale(), zone) })}</p>
    ${agenda.length === 0 && html`<p class="soft">${t("page.ticket.no_agenda")}</p>`}
    ${byDay(agenda, zone).map(
      ({ key, lines }) => html`<div key=${key} class="day">
        <h3>${day(lines[0].starts_at, locale(), zone)}</h3>
        <ol>
          ${lines.map((line, n) => html`<${Session} key=${n} line=${line} zone=${zone} />`)}
        </ol>
      </div>`,
    )}
  </section>`;
}

function Event() {
  const { event } = data.value;
  const zone = event.timezone;
  const oneDay = dayKey(event.starts_at, zone) === dayKey(event.ends_at, zone);
  return html`<div class="event">
    <h1 class="name">${event.title}</h1>
    <p class="soft figure">
      <time datetime=${event.starts_at}>${moment(event.starts_at, zone)}</time>
      ${" – "}
      <time datetime=${event.ends_at}>
        ${oneDay ? clock(event.ends_at, zone) : moment(event.ends_at, zone)}
      </time>
    </p>
  </div>`;
}

function Message() {
  if (view.value === "loading") {
    return html`<div class="cards" role="status" aria-label=${t("page.all.loading")}>
      <div class="panel ticket"><span class="skeleton code-box"></span></div>
      <div class="panel agenda"><span class="skeleton"></span><span class="skeleton"></span></div>
    </div>`;
  }
  const unknown = view.value === "unknown";
  const why = problem.value?.status === 429 ? t("page.ticket.busy") : t("page.all.no_answer");
  return html`<div class="panel message" role="alert">
    <h1>${t(unknown ? "page.ticket.unknown_title" : "page.all.trouble")}</h1>
    <p>${unknown ? t("page.ticket.unknown") : why}</p>
    ${!unknown &&
    html`<button class="button primary" type="button" onClick=${load}>${t("page.all.again")}</button>`}
  </div>`;
}

function Page() {
  // Reading the language here redraws the page when it changes.
  void language.value;
  const shown = view.value === "ticket";
  useEffect(() => {
    const name = t("page.ticket.title");
    document.title = shown ? `${name} · ${data.value.event.title}` : name;
  });
  return html`<div class="page">
    <header class="top">
      <span class="brand"><img src="/img/mark.svg" alt="" />${t("page.ticket.title")}</span>
      <div class="tools"><${LanguageSwitch} /><${ThemeSwitch} /></div>
    </header>
    <main>
      ${shown
        ? html`<${Event} />
            ${problem.value !== null &&
            html`<p class="notice warn" role="status">
              ${t("page.ticket.old", { when: clock(loadedAt.value, data.value.event.timezone) })}
            </p>`}
            <${Urgent} zone=${data.value.event.timezone} />
            <div class="cards"><${Ticket} /><${Agenda} /></div>
            <${News} zone=${data.value.event.timezone} />`
        : html`<${Message} />`}
    </main>
  </div>`;
}

await loadLanguage();
render(html`<${Page} />`, document.getElementById("app"));
document.addEventListener("visibilitychange", look);
window.addEventListener("online", look);
setInterval(look, LOOK_MS + soon());
await load();
