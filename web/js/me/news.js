// Announcements as they happen: each once, newest first, and said back when shown.
import { computed, html, signal, useEffect } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { clock, day } from "/lib/format.js";
import { Live } from "/lib/live.js";
import { me, token } from "/js/me/state.js";

export const items = signal([]);
export const seats = signal(new Map());
const READ = "attendee_read";
const read = signal(new Set(remembered()));
// What came while the page was away is unread too, whenever it is opened again.
export const unread = computed(() => items.value.filter(({ id }) => !read.value.has(id)).length);
let live = null;

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(READ)) ?? [];
  } catch {
    return [];
  }
}

function remember() {
  const shown = items.value.map(({ id }) => id);
  read.value = new Set(shown);
  try {
    localStorage.setItem(READ, JSON.stringify(shown));
  } catch {
    // A private window: it is unread again the next time.
  }
}

function take(topic, data, act) {
  if (topic.endsWith(":sessions")) {
    // The server sends those that changed; the others stay as they are.
    const known = act === "replace" ? [] : seats.value;
    seats.value = new Map([...known, ...data.sessions.map((line) => [line.id, line])]);
    return;
  }
  const known = new Set(items.value.map((item) => item.id));
  const fresh = data.items.filter((item) => !known.has(item.id));
  if (act === "replace") items.value = [...data.items].reverse();
  else items.value = [...fresh.reverse(), ...items.value];
  for (const item of data.items) say(item.id, "delivered");
}

export function say(id, what) {
  live?.send({ op: "ack", announcement_id: id, what });
}

export function follow(url) {
  const topics = ["announcements", "sessions"].map((kind) => `event:${me.value.event_id}:${kind}`);
  live?.stop();
  live = new Live(url, topics, { token: token.value, take }).start();
  return live;
}

function Item({ item }) {
  const zone = me.value.timezone;
  const urgent = item.priority === "urgent" || item.priority === "high";
  return html`<li class="news-item" data-priority=${item.priority}>
    <p class="soft small figure">
      ${urgent && html`<span class="chip bad">${t(`page.me.priority.${item.priority}`)}</span> `}
      ${item.corrects_id && html`<span class="chip warn">${t("page.me.correction")}</span> `}
      ${item.at && html`<time datetime=${item.at}>${day(item.at, locale(), zone)}, ${clock(item.at, zone)}</time>`}
    </p>
    <h3 class="name">${item.title}</h3>
    <p class="news-text name">${item.content}</p>
    ${item.link_url &&
    html`<a href=${item.link_url} rel="noopener" onClick=${() => say(item.id, "clicked")}>${t("page.me.more")}</a>`}
  </li>`;
}

export function News() {
  useEffect(() => {
    remember();
    for (const item of items.value) say(item.id, "opened");
  }, [items.value.length]);
  return html`<section class="panel" aria-labelledby="news-title">
    <h2 id="news-title">${t("page.me.news")}</h2>
    ${items.value.length === 0
      ? html`<p class="soft">${t("page.me.no_news")}</p>`
      : html`<ol class="news" aria-live="polite">
          ${items.value.map((item) => html`<${Item} key=${item.id} item=${item} />`)}
        </ol>`}
  </section>`;
}
