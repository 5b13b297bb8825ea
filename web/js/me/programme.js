// The agenda: live capacity, one's own seats, and feedback after the end.
import { html, signal } from "/lib/ui.js";
import { has, locale, t } from "/lib/i18n.js";
import { byDay, phase } from "/lib/agenda.js";
import { clock, day, zoneName } from "/lib/format.js";
import { agenda, ask, load, me } from "/js/me/state.js";
import { seats } from "/js/me/news.js";

export const now = signal(Date.now());
const busy = signal(null);
const trouble = signal(null);
const rating = signal(null);

const WITH_SEATS = ["registered", "register"];

async function act(line, what) {
  busy.value = line.id;
  trouble.value = null;
  try {
    await ask("POST", `/sessions/${line.id}/${what}`);
    await load();
  } catch (error) {
    trouble.value = { id: line.id, words: error.message };
  } finally {
    busy.value = null;
  }
}

function Seats({ line }) {
  const fresh = seats.value.get(line.id);
  const capacity = fresh?.capacity ?? line.capacity;
  const taken = fresh?.registered ?? line.registered;
  if (!capacity || !WITH_SEATS.includes(line.mode)) return null;
  const left = Math.max(0, capacity - taken);
  return html`<span class=${`chip ${left ? "" : "warn"}`}>
    ${left ? t("page.me.seats_left", { n: left }) : t("page.me.full")}
  </span>`;
}

function Seat({ line }) {
  const over = phase(line, now.value) === "over" || line.status === "cancelled";
  if (over || !WITH_SEATS.includes(line.mode)) return null;
  const mine = line.mine === "registered" || line.mine === "waitlist";
  const words = mine ? "give_back" : "take_seat";
  return html`<button
    class="button small"
    type="button"
    disabled=${busy.value === line.id}
    onClick=${() => act(line, mine ? "cancel" : "register")}
  >
    ${t(`page.me.${words}`)}
  </button>`;
}

function Stars({ line }) {
  const given = rating.value?.id === line.id ? rating.value : { stars: 0, anonymous: false };
  const send = async (stars) => {
    rating.value = { ...given, id: line.id, stars };
    try {
      await ask("POST", "/feedback", {
        session_id: line.id,
        session_rating: stars,
        is_anonymous: given.anonymous,
      });
      rating.value = { ...rating.value, sent: true };
    } catch (error) {
      trouble.value = { id: line.id, words: error.message };
    }
  };
  return html`<div class="stars" role="group" aria-label=${t("page.me.rate", { title: line.title })}>
    ${[1, 2, 3, 4, 5].map(
      (n) => html`<button
        key=${n}
        type="button"
        class="star"
        aria-pressed=${given.stars >= n}
        aria-label=${t("page.me.stars", { n })}
        onClick=${() => send(n)}
      >
        ${given.stars >= n ? "★" : "☆"}
      </button>`,
    )}
    <label class="small">
      <input
        type="checkbox"
        checked=${given.anonymous}
        onChange=${(event) => (rating.value = { ...given, id: line.id, anonymous: event.target.checked })}
      />
      ${t("page.me.anonymous")}
    </label>
    ${given.sent && html`<span class="small" role="status">${t("page.me.thanks")}</span>`}
  </div>`;
}

function Session({ line }) {
  const zone = me.value.timezone;
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
      <p class="seat-row">
        ${line.mine &&
        html`<span class=${`chip ${line.mine === "registered" ? "good" : "warn"}`}>
          ${t(`page.me.mine.${line.mine}`, { n: line.position ?? "" })}
        </span>`}
        <${Seats} line=${line} />
        <${Seat} line=${line} />
      </p>
      ${is === "over" && line.attended && html`<${Stars} line=${line} />`}
      ${trouble.value?.id === line.id && html`<p class="small bad-text" role="alert">${trouble.value.words}</p>`}
    </div>
    ${is === "now" && html`<span class="chip good">${t("page.ticket.now")}</span>`}
    ${(is === "cancelled" || is === "postponed") &&
    html`<span class="chip bad">${t(`page.ticket.session_status.${is}`)}</span>`}
  </li>`;
}

export function Programme() {
  const zone = me.value.timezone;
  return html`<section class="panel agenda" aria-labelledby="agenda">
    <h2 id="agenda">${t("page.ticket.agenda")}</h2>
    <p class="soft small">${t("page.ticket.zone", { zone: zoneName(locale(), zone) })}</p>
    ${agenda.value.length === 0 && html`<p class="soft">${t("page.ticket.no_agenda")}</p>`}
    ${byDay(agenda.value, zone).map(
      ({ key, lines }) => html`<div key=${key} class="day">
        <h3>${day(lines[0].starts_at, locale(), zone)}</h3>
        <ol>
          ${lines.map((line) => html`<${Session} key=${line.id} line=${line} />`)}
        </ol>
      </div>`,
    )}
  </section>`;
}
