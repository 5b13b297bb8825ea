// The devices have no live topic: their list is asked for again and again, and grows
// visibly old when it cannot be had.
import { call } from "/lib/api.js";
import { devices } from "/js/control/model.js";

const EVERY_MS = 5_000;
const PAGES_MAX = 10;

async function all(eventId) {
  const path = `/api/v1/events/${eventId}/devices?limit=100`;
  const found = [];
  let cursor = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const next = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const answer = await call("GET", path + next);
    found.push(...answer.items);
    cursor = answer.next_cursor;
    if (!cursor) break;
  }
  return found;
}

export async function watchDevices(eventId) {
  try {
    devices.value = { devices: await all(eventId), refused: false, old: false };
  } catch (error) {
    const refused = error.status === 403;
    devices.value = { devices: devices.value?.devices ?? [], refused, old: !refused };
    if (refused || error.status === 401) return;
  }
  setTimeout(() => watchDevices(eventId), EVERY_MS);
}
