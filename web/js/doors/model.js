// What the page of the doors holds: the event's plan, the live lists, and one way to act.
import { computed, signal } from "/lib/ui.js";
import { call } from "/lib/api.js";
import { kindOf } from "/lib/live-rules.js";
import { t } from "/lib/i18n.js";

export const eventId = new URLSearchParams(location.search).get("event");
export const base = `/api/v1/events/${eventId}`;

export const event = signal(null);
export const attendance = signal(null);
export const devices = signal([]);
export const alerts = signal({ calls: [], incidents: [], conflicts: 0 });
// What the network's absence may cost; `old`: the server cannot tell it now.
export const price = signal(null);
export const live = signal(null);
export const now = signal(Date.now());
// What went wrong or well last: {bad, words}.
export const said = signal(null);
export const busy = signal(false);

export const zone = computed(() => event.value?.timezone);
export const gates = computed(() => event.value?.gates ?? []);

export function take(topic, data) {
  switch (kindOf(topic)) {
    case "attendance":
      attendance.value = { ...attendance.value, ...data };
      break;
    case "devices":
      devices.value = data.devices;
      break;
    case "alerts":
      alerts.value = data;
      break;
    case "offline":
      price.value = { ...data, old: false };
      break;
    default:
      break;
  }
}

// A number that cannot be told now must not stand there as if it were new.
export function refuse(topic) {
  if (kindOf(topic) === "offline" && price.value) price.value = { ...price.value, old: true };
}

export async function loadEvent() {
  event.value = await call("GET", base);
}

export function sentenceOf(error) {
  if (error.code === "no_answer") return t("page.all.no_answer");
  const fields = (error.fields ?? []).map(({ field, detail }) => `${field}: ${detail}`);
  return fields.length ? fields.join(" ") : error.detail || error.message;
}

// Acts, says what came of it, and reads the plan again where it may have changed.
export async function act(method, path, body, { words = "page.doors.done", reload = false, timeoutMs } = {}) {
  busy.value = true;
  try {
    const answer = await call(method, path, body, {}, timeoutMs);
    said.value = { bad: false, words: t(words) };
    if (reload) await loadEvent();
    return answer ?? true;
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
    return null;
  } finally {
    busy.value = false;
  }
}
