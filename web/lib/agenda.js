// The agenda as a guest reads it, by day at the event. Pure: zone and moment are given.

const dayKeys = new Map();

// 2027-06-12, the date at the event: a session after midnight belongs to the next day.
export function dayKey(moment, zone) {
  if (!dayKeys.has(zone)) {
    dayKeys.set(zone, new Intl.DateTimeFormat("en-CA", { dateStyle: "short", timeZone: zone }));
  }
  return dayKeys.get(zone).format(new Date(moment));
}

// [{key, lines}], in the order of the lines, which come sorted by their beginning.
export function byDay(lines, zone) {
  const days = [];
  for (const line of lines) {
    const key = dayKey(line.starts_at, zone);
    if (days.at(-1)?.key !== key) days.push({ key, lines: [] });
    days.at(-1).lines.push(line);
  }
  return days;
}

// "cancelled" and "postponed" as they stand; else by the clock: "now", "over", "later".
export function phase(line, now) {
  if (line.status === "cancelled" || line.status === "postponed") return line.status;
  if (now >= Date.parse(line.ends_at)) return "over";
  return now >= Date.parse(line.starts_at) ? "now" : "later";
}

// The code in the address of the page: /t/CODE, in any case; null if there is none.
export function codeOf(pathname) {
  return /^\/t\/([^/]+)\/?$/i.exec(pathname)?.[1] ?? null;
}
