// What is announced to all, on the page that a ticket's QR opens. The code is the token: it
// opens what a stranger may hear who photographed it, and nothing about a person.
import { html, signal } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { configuration } from "/lib/api.js";
import { clock, day } from "/lib/format.js";
import { Live } from "/lib/live.js";

const items = signal([]);
let live = null;

function take(topic, data, act) {
  const known = act === "replace" ? [] : items.value;
  const fresh = data.items.filter(({ id }) => !known.some((one) => one.id === id));
  items.value = [...[...fresh].reverse(), ...known];
}

// Once: the socket comes back by itself.
export async function listen(eventId, code) {
  if (live !== null) return;
  live = "coming";
  try {
    const config = await configuration();
    live = new Live(config.live_url, [`event:${eventId}:announcements`], { token: code, take }).start();
  } catch {
    live = null;
  }
}

const corrected = (list) => new Set(list.map(({ corrects_id: id }) => id).filter(Boolean));

// The code stays on top, where it is held up: only the newest urgent word stands above it.
function urgentOf(list) {
  const gone = corrected(list);
  return list.find(({ id, priority }) => priority === "urgent" && !gone.has(id));
}

function Item({ item, zone }) {
  const loud = item.priority === "urgent" || item.priority === "high";
  return html`<li class="news-item" data-priority=${item.priority}>
    <p class="soft small figure">
      ${loud && html`<span class="chip bad">${t(`page.me.priority.${item.priority}`)}</span> `}
      ${item.corrects_id && html`<span class="chip warn">${t("page.me.correction")}</span> `}
      ${item.at && html`<time datetime=${item.at}>${day(item.at, locale(), zone)}, ${clock(item.at, zone)}</time>`}
    </p>
    <h3 class="name">${item.title}</h3>
    <p class="news-text name">${item.content}</p>
    ${item.link_url && html`<a href=${item.link_url} rel="noopener">${t("page.me.more")}</a>`}
  </li>`;
}

export function Urgent({ zone }) {
  const item = urgentOf(items.value);
  if (!item) return null;
  return html`<section class="panel news-panel" role="alert"><ol class="news"><${Item} item=${item} zone=${zone} /></ol></section>`;
}

export function News({ zone }) {
  const above = urgentOf(items.value);
  const rest = items.value.filter((item) => item !== above);
  if (rest.length === 0) return null;
  return html`<section class="panel news-panel" aria-labelledby="news">
    <h2 id="news">${t("page.me.news")}</h2>
    <ol class="news" aria-live="polite">${rest.map((item) => html`<${Item} key=${item.id} item=${item} zone=${zone} />`)}</ol>
  </section>`;
}
