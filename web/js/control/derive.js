// What the control room shows, computed from what the live topics say. Pure.

export const LINES_MAX = 200;
const SILENT_MS = 60_000;
const BATTERY_LOW = 20;
// Below this many refusals a share says nothing about a gate.
const REFUSED_MIN = 10;
const REFUSED_SHARE = 0.25;

// Puts an update over what was held: topics carry absolute values, key by key.
export function merged(held, data, act) {
  return act === "replace" || held === null ? data : { ...held, ...data };
}

// Newest first, each line once, a bounded number.
export function ticker(held, data, act) {
  const fresh = [...data.lines].reverse();
  if (act === "replace") return fresh.slice(0, LINES_MAX);
  const known = new Set(fresh.map((line) => line.id));
  return [...fresh, ...held.filter((line) => !known.has(line.id))].slice(0, LINES_MAX);
}

// [x seconds, people a minute, people in all] from the curve's start up to this minute.
export function curveSeries(curve, nowMs) {
  if (!curve || curve.entered.length === 0) return [[], [], []];
  const last = curve.start_minute + curve.entered.length - 1;
  const until = Math.max(last, Math.min(Math.floor(nowMs / 60_000), last + 24 * 60));
  const x = [];
  const each = [];
  const total = [];
  let sum = 0;
  for (let minute = curve.start_minute; minute <= until; minute += 1) {
    const people = curve.entered[minute - curve.start_minute] ?? 0;
    sum += people;
    x.push(minute * 60);
    each.push(people);
    total.push(sum);
  }
  return [x, each, total];
}

// The words for what is wrong with a gate, the gravest first; none when all is well.
export function gateTrouble(gate) {
  const trouble = [];
  if (gate.state === "closed" || gate.state === "held") trouble.push(gate.state);
  if (gate.devices === 0 && gate.state !== "closed") trouble.push("no_device");
  const attempts = gate.entered + gate.refused;
  if (gate.refused >= REFUSED_MIN && gate.refused / attempts >= REFUSED_SHARE) {
    trouble.push("many_refused");
  }
  if (gate.state === "last_entry") trouble.push("last_entry");
  return trouble;
}

export function deviceTrouble(device, nowMs) {
  const trouble = [];
  if (device.state === "revoked") return ["revoked"];
  if (device.state === "pairing") return ["pairing"];
  const seen = device.last_seen_at ? Date.parse(device.last_seen_at) : null;
  if (seen === null || nowMs - seen > SILENT_MS) trouble.push("silent");
  if (device.pending > 0) trouble.push("pending");
  if (device.battery !== null && device.battery !== undefined && device.battery < BATTERY_LOW) {
    trouble.push("battery");
  }
  return trouble;
}

// Devices that need somebody stand first; the order within is the server's.
export function devicesInOrder(devices, nowMs) {
  const marked = devices.map((device) => ({ device, trouble: deviceTrouble(device, nowMs) }));
  const grave = ({ trouble }) =>
    trouble.length > 0 && !trouble.includes("pairing") && !trouble.includes("revoked");
  return [...marked.filter(grave), ...marked.filter((entry) => !grave(entry))];
}

// "now" while people may check in or it runs, "next" before, "over" after.
export function sessionPhase(session, nowMs) {
  const from = Date.parse(session.check_in_opens ?? session.starts_at);
  const until = Date.parse(session.ends_at);
  if (nowMs >= until) return "over";
  return nowMs >= from ? "now" : "next";
}

export function sessionsInOrder(sessions, nowMs) {
  const rank = { now: 0, next: 1, over: 2 };
  return sessions
    .map((session) => ({ session, phase: sessionPhase(session, nowMs) }))
    .sort(
      (a, b) =>
        rank[a.phase] - rank[b.phase] ||
        Date.parse(a.session.starts_at) - Date.parse(b.session.starts_at),
    );
}

const KINDS = {
  all: () => true,
  in: (line) => line.verdict === "admitted",
  out: (line) => line.verdict === "exited",
  look: (line) => line.verdict === "hold" || line.verdict === "refused",
};

export function matches(line, kind, words) {
  if (!KINDS[kind](line)) return false;
  const wanted = words.trim().toLocaleLowerCase();
  if (!wanted) return true;
  const parts = [line.holder, line.type, line.gate, line.area, line.device, line.operator];
  const text = [...parts, line.code_hint, line.reason].filter(Boolean).join(" ");
  return text.toLocaleLowerCase().includes(wanted);
}

const FORECAST_OLD_MS = 150_000;
const COMPLETE = 0.995;

// The forecast while it is young; an old one is none.
export function freshForecast(outlook, nowMs) {
  const forecast = outlook?.forecast ?? null;
  if (!forecast || nowMs - Date.parse(forecast.made_at) > FORECAST_OLD_MS) return null;
  return forecast;
}

// The curve so far and the band ahead on one axis: [x, each, total, low, mid, high]. The
// band speaks of guests; it is put on top of all who are in now, so that the lines meet.
export function withForecast(series, forecast) {
  const [x, each, total] = series;
  const none = () => x.map(() => null);
  const out = [x, each, total, none(), none(), none()];
  if (!forecast || forecast.points.length < 2) return out;
  const now = x.at(-1) ?? forecast.points[0][0] * 60;
  const all = total.at(-1) ?? forecast.entered;
  const more = all - forecast.entered;
  if (x.length > 0) for (const column of [3, 4, 5]) out[column][x.length - 1] = all;
  out[0] = [...x];
  out[1] = [...each];
  out[2] = [...total];
  const end = forecast.points.at(-1)[2];
  for (const [minute, low, mid, high] of forecast.points) {
    const second = Math.round(minute * 60);
    if (second <= now) continue;
    out[0].push(second);
    out[1].push(null);
    out[2].push(null);
    out[3].push(Math.max(all, low + more));
    out[4].push(Math.max(all, mid + more));
    out[5].push(Math.max(all, high + more));
    if (mid >= end * COMPLETE) break;
  }
  return out;
}

export function gateForecast(forecast, gateId) {
  return forecast?.gates.find(({ id }) => id === gateId) ?? null;
}

// What to do at a gate: how many lanes more than there are hold the wait under the limit.
export function lanesMissing(gate) {
  if (!gate || gate.lanes_needed === null) return 0;
  return Math.max(0, gate.lanes_needed - Math.max(gate.lanes, 1));
}

// A wait in minutes with its range: below one it is "under a minute"; null: not known.
export function waitMinutes(gate) {
  if (!gate || gate.wait_s === null) return null;
  const low = Math.floor(gate.wait_low_s / 60);
  const high = Math.ceil(gate.wait_high_s / 60);
  return { low, high, little: gate.wait_high_s < 60 };
}
