// What the control room holds: one signal a topic, one for the clock.
import { computed, signal } from "/lib/ui.js";
import { kindOf } from "/lib/live-rules.js";
import { freshForecast, merged, ticker } from "/js/control/derive.js";

export const attendance = signal(null);
export const sessions = signal(null);
export const devices = signal(null);
export const lines = signal(null);
export const alerts = signal(null);
export const outlook = signal(null);
export const price = signal(null);

export const eventId = new URLSearchParams(location.search).get("event");

export const live = signal(null);
export const now = signal(Date.now());
export const status = computed(() => live.value?.status.value ?? "connecting");
export const fresh = computed(() => status.value === "live");

export const TOPICS = ["attendance", "sessions", "scans", "devices", "alerts", "forecast", "offline"];

export function take(topic, data, act) {
  switch (kindOf(topic)) {
    case "attendance":
      attendance.value = merged(attendance.value, data, act);
      break;
    case "sessions":
      sessions.value = merged(sessions.value, data, act);
      break;
    case "scans":
      lines.value = ticker(lines.value ?? [], data, act);
      break;
    case "devices":
      devices.value = { ...merged(devices.value, data, act), refused: false, old: false };
      break;
    case "alerts":
      alerts.value = data;
      break;
    case "forecast":
      outlook.value = data;
      break;
    case "offline":
      price.value = { ...data, old: false };
      break;
    default:
      break;
  }
}

// A topic that we may not see, or that the server cannot tell now: the list stays and is
// marked. (Figures need no mark of their own: their topics fall silent, and all is old.)
export function refuse(topic, code) {
  if (kindOf(topic) === "offline") {
    price.value = code === "forbidden" ? { refused: true } : price.value && { ...price.value, old: true };
  }
  if (kindOf(topic) !== "devices") return;
  const refused = code === "forbidden";
  const held = (!refused && devices.value) || { devices: [], total: 0 };
  devices.value = { ...held, refused, old: !refused };
}

export const forecast = computed(() => freshForecast(outlook.value, now.value));

// The server's time: a wrong clock on this computer must not move windows or ages.
export function tick() {
  now.value = Date.now() + (live.value?.skewMs.value ?? 0);
}
