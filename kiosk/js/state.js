// What the handheld shows, as signals. Nothing here waits or asks anybody.
import { computed, signal } from "/vendor/signals.mjs";

// "opening", "pairing", "scanning"
export const screen = signal("opening");
// The answer of the pairing: event, gate, areas, profile, token.
export const device = signal(null);
// How the control room has set this device; comes with every heartbeat.
export const config = signal(null);
// What the hub said last of the doors (topic doors), or null without its line.
export const told = signal(null);
export const operator = signal(null);
// "online", "silent" (no answer), "offline" (no network), "revoked"
export const link = signal("online");
export const waitingCount = signal(0);
export const skewMs = signal(0);
// The offline package in hand: {made_at, expires_at, mode}, or null.
export const packed = signal(null);
// Whether the server has its database ("journal": it keeps entries in a file).
export const durable = signal("committed");
// The comparison after a reconnection: {agrees, ..}, or null.
export const proof = signal(null);
// What fills the screen: {id, code, tone, stays, shownAtMs, answer | silent | problem}.
export const shown = signal(null);
export const checking = signal(false);
// The last twenty scans, newest first: {id, at, tone, who, what, late, undo}.
export const history = signal([]);
export const sheet = signal(null);
// null at the door; {kind: "redeem", ..} at a point.
export const mode = signal(null);
export const override = signal(null);

export const gate = computed(() => config.value?.gate ?? device.value?.gate ?? null);
// This gate as the hub tells it; null where it does not.
export const door = computed(() => told.value?.gates.find(({ id }) => id === gate.value?.id) ?? null);
// The state of its doors, the event's included.
export const doors = computed(() => door.value?.doors ?? config.value?.doors ?? "open");
export const gateDirection = computed(() => gate.value?.direction ?? "in");

// What a person chose behind a PIN, else the device's setting, else the gate's way.
export const direction = computed(() => {
  const set = config.value ? config.value.direction : device.value?.direction;
  if (gateDirection.value !== "both") return gateDirection.value === "out" ? "out" : "in";
  return override.value ?? (set === "out" ? "out" : "in");
});

// Only a PIN is shown: the control room has locked this device.
export const locked = computed(() => config.value?.locked === true);

export const HISTORY_MAX = 20;

export function remember(entry) {
  const others = history.value.filter(({ id }) => id !== entry.id);
  history.value = [entry, ...others].slice(0, HISTORY_MAX);
}
