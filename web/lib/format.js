// Numbers, times and spans as people read them. Pure: language and zone are arguments.

const numberFormats = new Map();
const timeFormats = new Map();

function kept(map, key, make) {
  if (!map.has(key)) map.set(key, make());
  return map.get(key);
}

export function count(value, locale) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return kept(numberFormats, locale, () => new Intl.NumberFormat(locale)).format(value);
}

// A rate: one decimal place below ten, none above.
export function rate(value, locale) {
  if (value === null || value === undefined) return "–";
  const digits = value > 0 && value < 9.95 ? 1 : 0;
  return kept(
    numberFormats,
    `${locale}/${digits}`,
    () =>
      new Intl.NumberFormat(locale, {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      }),
  ).format(value);
}

// 19:53 in every language: the local long forms do not fit beside a figure.
export function clock(moment, zone, seconds = false) {
  if (!moment) return "–";
  return kept(
    timeFormats,
    `${zone}/${seconds}`,
    () =>
      new Intl.DateTimeFormat("en-GB", {
        hour: "2-digit",
        minute: "2-digit",
        second: seconds ? "2-digit" : undefined,
        hourCycle: "h23",
        timeZone: zone,
      }),
  ).format(new Date(moment));
}

export function day(moment, locale, zone) {
  return kept(
    timeFormats,
    `${locale}/${zone}/day`,
    () =>
      new Intl.DateTimeFormat(locale, {
        weekday: "long",
        day: "numeric",
        month: "long",
        year: "numeric",
        timeZone: zone,
      }),
  ).format(new Date(moment));
}

// "Eastern Time", "heure de l’Est": the zone's name, whatever the season.
export function zoneName(locale, zone) {
  const parts = new Intl.DateTimeFormat(locale, {
    timeZone: zone,
    timeZoneName: "longGeneric",
  }).formatToParts(new Date());
  return parts.find((part) => part.type === "timeZoneName")?.value ?? zone;
}

// How full something is, from 0 to 1; null where there is no limit.
export function share(inside, capacity) {
  if (!capacity || capacity <= 0) return null;
  return Math.max(0, inside / capacity);
}

// The signal that a share calls for: alerts of the house are at 80 and 95 per cent.
export function level(part) {
  if (part === null) return "";
  if (part >= 0.95) return "bad";
  return part >= 0.8 ? "warn" : "";
}

// Per cent without ever rounding up to "full": 99.6 is 99.
export function percent(part, locale) {
  if (part === null) return "–";
  return kept(
    numberFormats,
    `${locale}/percent`,
    () => new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 }),
  ).format(Math.floor(part * 100) / 100);
}

// Whole minutes until a place is full at this rate of people a minute; null for never.
export function minutesUntilFull(inside, capacity, perMinute, stillExpected) {
  if (!capacity || perMinute <= 0) return null;
  const free = capacity - inside;
  if (free <= 0) return 0;
  if (stillExpected !== null && stillExpected < free) return null;
  return Math.ceil(free / perMinute);
}
