// Many at once, through the same rules as a door: choose the tickets, the place, the way;
// afterwards each ticket's answer stands in the list, and who was turned away says why.
import { html, signal } from "/lib/ui.js";
import { has, locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { count } from "/lib/format.js";
import { uuid7 } from "/lib/uuid.js";
import { act, base, busy, event, eventId, gates, said, sentenceOf } from "/js/doors/model.js";

const ROWS_MAX = 1_000;
const PAGE = 200;
const TIMEOUT_MS = 120_000;

const tickets = signal(null);
const more = signal(false);
const picked = signal(new Set());
const answers = signal(new Map());
const outcome = signal(null);
// One id for one intention: asked again after a lost answer, nobody is let in twice.
let intention = null;

const changed = () => {
  intention = null;
  outcome.value = null;
};

async function orderId(number) {
  const query = new URLSearchParams({ event_id: eventId, order_number: number, limit: "1" });
  const { items } = await call("GET", `/api/v1/orders?${query}`);
  return items[0]?.id ?? null;
}

async function load(submit) {
  submit.preventDefault();
  const { type, order } = submit.currentTarget.elements;
  changed();
  answers.value = new Map();
  try {
    const wanted = { event_id: eventId, limit: PAGE, labels: "true" };
    if (type.value) wanted.ticket_type_id = type.value;
    if (order.value.trim()) {
      wanted.order_id = await orderId(order.value.trim());
      if (!wanted.order_id) {
        tickets.value = [];
        picked.value = new Set();
        return;
      }
    }
    const rows = [];
    let cursor = null;
    do {
      const query = new URLSearchParams({ ...wanted, ...(cursor ? { cursor } : {}) });
      const page = await call("GET", `/api/v1/tickets?${query}`);
      rows.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor && rows.length < ROWS_MAX);
    more.value = cursor !== null;
    tickets.value = rows.slice(0, ROWS_MAX);
    picked.value = new Set(tickets.value.filter(({ state }) => state === "valid").map(({ id }) => id));
    said.value = null;
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

async function send(submit) {
  submit.preventDefault();
  const { place, direction, reason } = submit.currentTarget.elements;
  const [kind, id] = place.value.split(" ");
  intention ??= uuid7();
  const body = {
    id: intention,
    direction: direction.value,
    tickets: [...picked.value],
    reason: reason.value.trim(),
    ...(kind ? { [`${kind}_id`]: id } : {}),
  };
  const done = await act("POST", `${base}/bulk`, body, { words: "page.bulk.done", timeoutMs: TIMEOUT_MS });
  if (!done) return;
  intention = null;
  outcome.value = done;
  answers.value = new Map(done.results.map((row) => [row.ticket_id, row]));
}

function Choose() {
  return html`<form class="row" onSubmit=${load} aria-label=${t("page.bulk.choose")}>
    <div class="field">
      <label for="bulk-type">${t("page.plan.type")}</label>
      <select class="input" id="bulk-type" name="type">
        <option value="">${t("page.doors.every")}</option>
        ${event.value.types.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
      </select>
    </div>
    <div class="field grow">
      <label for="bulk-order">${t("page.bulk.order")}</label>
      <input class="input" id="bulk-order" name="order" autocomplete="off" />
    </div>
    <button type="submit" class="button">${t("page.bulk.show")}</button>
  </form>`;
}

function Answer({ row }) {
  if (!row) return null;
  const tone = row.error ? "bad" : { admitted: "good", exited: "good", hold: "warn" }[row.verdict] ?? "bad";
  const key = `page.reason.${row.verdict}.${row.reason}`;
  return html`<span class=${`chip ${tone}`}>${row.error ? row.error.code : has(key) ? t(key) : row.reason}</span>
    <span class="small soft name"> ${row.error?.detail ?? (tone === "good" ? "" : row.message)}</span>`;
}

function Line({ ticket }) {
  const name = ticket.labels?.attendee_id ?? ticket.seat_label ?? ticket.external_ref ?? "–";
  const id = `pick-${ticket.id}`;
  const pick = (change) => {
    const now = new Set(picked.value);
    if (change.currentTarget.checked) now.add(ticket.id);
    else now.delete(ticket.id);
    picked.value = now;
    changed();
  };
  return html`<tr>
    <td class="pick"><input type="checkbox" id=${id} checked=${picked.value.has(ticket.id)} onChange=${pick} /></td>
    <th scope="row"><label class="name" for=${id}>${name}</label></th>
    <td class="name">${ticket.labels?.ticket_type_id ?? ""}</td>
    <td><span class=${`chip ${ticket.state === "valid" ? "" : "bad"}`}>${t(`page.people.state.${ticket.state}`)}</span></td>
    <td><${Answer} row=${answers.value.get(ticket.id)} /></td>
  </tr>`;
}

function Send() {
  const n = picked.value.size;
  const { areas, sessions } = event.value;
  const group = (label, kind, list) => html`<optgroup label=${label}>
    ${list.map(({ id, name, title }) => html`<option key=${id} value=${`${kind} ${id}`}>${name ?? title}</option>`)}
  </optgroup>`;
  return html`<form class="row" onSubmit=${send} aria-label=${t("page.doors.tab.bulk")}>
    <div class="field">
      <label for="bulk-way">${t("page.scan.setup.direction")}</label>
      <select class="input" id="bulk-way" name="direction" onChange=${changed}>
        <option value="in">${t("page.bulk.in")}</option>
        <option value="out">${t("page.bulk.out")}</option>
      </select>
    </div>
    <div class="field">
      <label for="bulk-place">${t("page.doors.stop_where")}</label>
      <select class="input" id="bulk-place" name="place" onChange=${changed}>
        <option value="">${t("page.bulk.venue")}</option>
        ${group(t("page.plan.gates"), "gate", gates.value)} ${group(t("page.plan.areas"), "area", areas)}
        ${sessions.length > 0 && group(t("page.control.sessions"), "session", sessions)}
      </select>
    </div>
    <div class="field grow">
      <label for="bulk-why">${t("page.people.reason")}</label>
      <input class="input" id="bulk-why" name="reason" required maxlength="500" autocomplete="off" onInput=${changed} />
    </div>
    <button type="submit" class="button primary" disabled=${busy.value || n === 0}>
      ${t("page.bulk.send", { n: count(n, locale()) })}
    </button>
  </form>`;
}

function List() {
  const list = tickets.value;
  const every = () => {
    picked.value = picked.value.size === list.length ? new Set() : new Set(list.map(({ id }) => id));
    changed();
  };
  const done = outcome.value;
  return html`<${Send} />
    ${done &&
    html`<p class=${`notice ${done.failed + done.turned_away ? "warn" : ""}`} role="status" data-bulk=${`${done.done} ${done.turned_away} ${done.failed}`}>
      ${t("page.bulk.outcome", { n: done.done, away: done.turned_away, failed: done.failed })}
    </p>`}
    <div class="act-head">
      <button type="button" class="button" onClick=${every}>
        ${t(picked.value.size === list.length ? "page.bulk.nobody" : "page.bulk.everybody")}
      </button>
      <span class="soft figure">${t("page.bulk.picked", { n: picked.value.size, of: list.length })}</span>
    </div>
    ${more.value && html`<p class="notice warn">${t("page.bulk.more", { n: count(ROWS_MAX, locale()) })}</p>`}
    <div class="scroll-x long-list" tabindex="0" role="region" aria-label=${t("page.bulk.choose")}>
      <table class="acts-table">
        <thead>
          <tr>
            <td></td>
            ${["page.doors.head.who", "page.plan.type", "page.doors.head.state", "page.doors.head.verdict"].map(
              (head) => html`<th scope="col" key=${head}>${t(head)}</th>`,
            )}
          </tr>
        </thead>
        <tbody>${list.map((ticket) => html`<${Line} key=${ticket.id} ticket=${ticket} />`)}</tbody>
      </table>
    </div>`;
}

export function Bulk() {
  return html`<section class="panel act-panel" aria-label=${t("page.doors.tab.bulk")}>
    <h2>${t("page.bulk.title")}</h2>
    <p class="soft small">${t("page.bulk.hint")}</p>
    <${Choose} />
    ${tickets.value && (tickets.value.length === 0 ? html`<p class="empty" role="status">${t("page.bulk.empty")}</p>` : html`<${List} />`)}
  </section>`;
}
