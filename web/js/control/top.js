// The bar on top: which event, what its doors do, the time there, and whether the
// figures below are true at this moment.
import { html, signal } from "/lib/ui.js";
import { language, t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { Stale } from "/lib/stale.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";
import { alerts, attendance, eventId, live, now, status } from "/js/control/model.js";

export const tv = signal(new URLSearchParams(location.search).has("tv"));

// Where there is no room for them, the ways to other pages wait behind a button.
const ways = signal(false);
const PAGES = ["emergency", "doors", "announce", "plan"];
const ADDRESS = { announce: "announcements" };

export function switchTv() {
  tv.value = !tv.value;
}

const DOORS = { open: "good", last_entry: "warn", held: "bad", closed: "bad" };

function Connection() {
  void now.value;
  const state = status.value;
  const tone = state === "live" ? "good" : state === "connecting" ? "" : "bad";
  return html`<span class=${`chip connection ${tone}`} role="status">
    <i class="dot"></i>${t(`page.live.${state}`)}
  </span>`;
}

// How the parts keep up: what waits for the doors, what devices hold, the journal.
function Sync() {
  const state = alerts.value?.sync;
  if (!state) return null;
  const { mode, raised } = alerts.value;
  const journal = mode === "journal" || raised.some(({ rule }) => rule === "journal_mode");
  const word = journal
    ? "journal"
    : state.waiting_s > 2
      ? "waiting"
      : state.unsent > 0
        ? "unsent"
        : state.watched
          ? "well"
          : "unwatched";
  const tone = { journal: "bad", waiting: "warn", unsent: "warn", unwatched: "warn", well: "good" }[word];
  return html`<span class=${`chip sync figure ${tone}`} data-sync=${word}>
    ${t(`page.control.sync.${word}`, { n: word === "unsent" ? state.unsent : state.waiting_s })}
  </span>`;
}

export function StaleBanner() {
  void now.value;
  const state = status.value;
  if (state === "live" || (state === "connecting" && attendance.value === null)) return null;
  const zone = attendance.value?.event.timezone;
  return html`<${Stale} live=${live.value} state=${state} now=${Date.now()} zone=${zone} />`;
}

export function Top() {
  const event = attendance.value?.event;
  const doors = event?.doors_state;
  return html`<header class="top">
    <a class="top-home" href="/" aria-label=${t("page.home.events")}>
      <img src="/img/mark.svg" alt="" />
    </a>
    <div class="top-title">
      <h1 class="name" title=${event?.title ?? ""}>${event?.title ?? t("page.control.title")}</h1>
      ${doors &&
      event.stopped !== "event" &&
      html`<span class=${`chip ${DOORS[doors] ?? ""}`}>${t(`page.control.doors.${doors}`)}</span>`}
      ${event?.stopped && html`<span class="chip bad">${t(`page.control.stopped.${event.stopped}`)}</span>`}
    </div>
    <${Sync} />
    <${Connection} />
    <time class="top-clock figure" aria-label=${t("page.control.clock")}>
      ${event ? clock(now.value, event.timezone, true) : "–"}
    </time>
    <div class="top-tools">
      <button
        type="button"
        class="button plain top-more"
        aria-expanded=${ways.value}
        aria-controls="ways"
        onClick=${() => (ways.value = !ways.value)}
      >
        ${t("page.scan.menu")}
      </button>
      <nav id="ways" class="top-ways" data-open=${ways.value} aria-label=${t("page.doors.pages")}>
        ${PAGES.map(
          (name) => html`<a class="button plain" key=${name} href=${`/${ADDRESS[name] ?? name}.html?event=${eventId}`}>${t(`page.${name}.title`)}</a>`,
        )}
        <a class="button plain" href=${`/api/v1/events/${eventId}/day-report.pdf?language=${language.value}`} download="day-report.pdf">${t("page.report.title")}</a>
      </nav>
      <${LanguageSwitch} />
      <${ThemeSwitch} />
      <button
        type="button"
        class="button plain"
        aria-pressed=${tv.value}
        title=${t("page.control.tv")}
        aria-label=${t("page.control.tv")}
        onClick=${switchTv}
      >
        <svg width="22" height="20" viewBox="0 0 22 20" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
          <rect x="1.5" y="2" width="19" height="12.5" rx="2" /><path d="M7 18.5h8" stroke-linecap="round" />
        </svg>
      </button>
    </div>
  </header>`;
}
