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

// Seats that are free now; null where nobody counts them.
function seatsLeft(line) {
  const fresh = seats.value.get(line.id);
  const capacity = fresh?.capacity ?? line.capacity;
  const taken = fresh?.registered ?? line.registered;
  return capacity ? Math.max(0, capacity - taken) : null;
}

function Seats({ line }) {
  const left = seatsLeft(line);
  if (left === null || !WITH_SEATS.includes(line.mode)) return null;
  return html`<span class=${`chip ${left ? "" : "warn"}`}>
    ${left ? t("page.me.seats_left", { n: left }) : t("page.me.full")}
  </span>`;
}

function Seat({ line }) {
  const over = phase(line, now.value) === "over" || line.status === "cancelled";
  if (over || !WITH_SEATS.includes(line.mode)) return null;
  const mine = line.mine === "registered" || line.mine === "waitlist";
  const left = seatsLeft(line);
  if (!mine && left === 0 && !line.waitlist_enabled) return null;
  const words = mine ? "give_back" : left === 0 ? "join_waitlist" : "take_seat";
  return html`<button
    class="button small"
    type="button"
    disabled=${busy.value === line.id}
    onClick=${() => act(line, mine ? "cancel" : "register")}
  >
    ${t(`page.me.${words}`)}
  </button>`;
}

// One answer about a session (or, without one, the event): stars, a word, no name.
function Answer({ id, title, body }) {
  const given = rating.value?.id === id ? rating.value : { id, stars: 0, anonymous: false, words: "" };
  const set = (more) => (rating.value = { ...given, ...more });
  const send = async (stars) => {
    set({ stars, sent: false });
    try {
      await ask("POST", "/feedback", body(stars, given.words.trim() || null, given.anonymous));
      set({ stars, sent: true });
    } catch (error) {
      trouble.value = { id, words: error.message };
    }
  };
  return html`<div class="stars" role="group" aria-label=${t("page.me.rate", { title })}>
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
        <input type="checkbox" checked=${given.anonymous} onChange=${(event) => set({ anonymous: event.target.checked })} />
        ${t("page.me.anonymous")}
      </label>
      ${given.sent && html`<span class="small" role="status">${t("page.me.thanks")} ${t("page.me.answered")}</span>`}
    </div>
    ${given.stars > 0 &&
    html`<div class="comment">
      <label class="unseen" for=${`comment-${id}`}>${t("page.me.comment")}</label>
      <textarea
        class="input"
        id=${`comment-${id}`}
        rows="2"
        maxlength="2000"
        placeholder=${t("page.me.comment")}
        value=${given.words}
        onInput=${(event) => set({ words: event.currentTarget.value, sent: false })}
      ></textarea>
      <button class="button small" type="button" disabled=${!given.words.trim()} onClick=${() => send(given.stars)}>${t("page.me.send")}</button>
    </div>`}
    ${trouble.value?.id === id && html`<p class="small bad-text" role="alert">${trouble.value.words}</p>`}`;
}

const aboutSession = (id) => (stars, words, anonymous) => ({
  session_id: id,
  session_rating: stars,
  session_comments: words,
  is_anonymous: anonymous,
});

const aboutEvent = (stars, words, anonymous) => ({
  overall_rating: stars,
  comments: words,
  is_anonymous: anonymous,
});

// After the end, for those who were there (the server says so to the others).
export function EventFeedback() {
  const over = Date.parse(me.value.ends_at) < now.value;
  if (!over || !me.value.was_in) return null;
  return html`<section class="panel" aria-labelledby="event-feedback">
    <h2 id="event-feedback">${t("page.me.event_feedback")}</h2>
    <${Answer} id="event" title=${me.value.title} body=${aboutEvent} />
  </section>`;
}

// As the live line has it now: a session that moves, moves on every open page.
function current(line) {
  const fresh = seats.value.get(line.id);
  if (!fresh) return line;
  const { starts_at, ends_at, room, status } = fresh;
  return { ...line, starts_at, ends_at, room: room ?? line.room, status: status ?? line.status };
}

function Session({ line: told }) {
  const line = current(told);
  const moved = Date.parse(line.starts_at) !== Date.parse(told.starts_at) || line.room !== told.room;
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
      ${is === "over" && line.attended && html`<${Answer} id=${line.id} title=${line.title} body=${aboutSession(line.id)} />`}
      ${is !== "over" && trouble.value?.id === line.id && html`<p class="small bad-text" role="alert">${trouble.value.words}</p>`}
    </div>
    ${moved && html`<span class="chip warn">${t("page.me.moved")}</span>`}
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
    ${byDay(agenda.value.map(current), zone).map(
      ({ key, lines }) => html`<div key=${key} class="day">
        <h3>${day(lines[0].starts_at, locale(), zone)}</h3>
        <ol>
          ${lines.map((line) => html`<${Session} key=${line.id} line=${agenda.value.find(({ id }) => id === line.id)} />`)}
        </ol>
      </div>`,
    )}
  </section>`;
}
