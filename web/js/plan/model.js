// What the page of places and rules holds beside the event's plan.
import { call } from "/lib/api.js";
import { signal } from "/lib/ui.js";
import { list } from "/js/crm/model.js";
import { eventId, said, sentenceOf } from "/js/doors/model.js";

const PAGES_MAX = 10;

export const rules = signal(null);
// The cell that is looked at: {scope, column}.
export const chosen = signal(null);

// All rows of a resource of this event; a plan is small, ten pages are 2,000 rows.
export async function all(name, values = {}) {
  const rows = [];
  let cursor = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const found = await list(name, { event_id: eventId, limit: 200, ...values, cursor });
    rows.push(...found.items);
    cursor = found.next_cursor;
    if (!cursor) break;
  }
  return rows;
}

export async function loadRules() {
  try {
    rules.value = await all("access_rules");
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

// The newest ticket of a type: most likely nobody has come with it yet.
export async function sampleOf(typeId) {
  const query = new URLSearchParams({
    event_id: eventId,
    ticket_type_id: typeId,
    state: "valid",
    sort: "-created_at",
    limit: "1",
    labels: "true",
  });
  const { items } = await call("GET", `/api/v1/tickets?${query}`);
  return items[0] ?? null;
}
