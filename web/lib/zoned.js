// Times as they are typed into a field, in the zone of the event and not of this computer.
// Pure. A time that occurs twice means the first one, one that does not exist the next
// that does: as the door reads local times.

const formats = new Map();

function parts(moment, zone) {
  if (!formats.has(zone)) {
    formats.set(
      zone,
      new Intl.DateTimeFormat("en-GB", {
        year: "numeric",
        month: "2-digit",
        day: "2-digit",
        hour: "2-digit",
        minute: "2-digit",
        hourCycle: "h23",
        timeZone: zone,
      }),
    );
  }
  const found = {};
  for (const { type, value } of formats.get(zone).formatToParts(moment)) found[type] = value;
  return found;
}

// 2026-11-26T18:30 in that zone; "" for no time.
export function toField(moment, zone) {
  if (!moment) return "";
  const { year, month, day, hour, minute } = parts(new Date(moment), zone);
  return `${year}-${month}-${day}T${hour}:${minute}`;
}

// The moment (RFC 3339, UTC) of what stands in a field; null for none.
export function fromField(text, zone) {
  if (!text) return null;
  const wall = Date.parse(`${text}Z`);
  const offset = (at) => Date.parse(`${toField(at, zone)}Z`) - at;
  const tries = [offset(wall - 86_400_000), offset(wall + 86_400_000)].map((ahead) => wall - ahead);
  const real = tries.filter((at) => toField(at, zone) === text);
  return new Date(real.length ? Math.min(...real) : Math.max(...tries)).toISOString();
}
