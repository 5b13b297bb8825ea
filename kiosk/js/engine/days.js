// Local times of an event as instants: ops/admission/days.py in JavaScript.
// A local time that occurs twice means the first; one that does not exist means the next
// that does. Event days are counted in days since 1970.

const DAY_MS = 86_400_000;

class Zone {
  constructor(name) {
    const options = {
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    };
    try {
      this.format = new Intl.DateTimeFormat("en-US", { ...options, timeZone: name });
    } catch {
      this.format = new Intl.DateTimeFormat("en-US", { ...options, timeZone: "UTC" });
    }
  }

  // The local time of an instant, as if it were UTC; whole seconds.
  local(ms) {
    const parts = {};
    for (const { type, value } of this.format.formatToParts(ms)) parts[type] = Number(value);
    const { year, month, day, hour, minute, second } = parts;
    const at = Date.UTC(2000, month - 1, day, hour, minute, second);
    return new Date(at).setUTCFullYear(year, month - 1, day);
  }

  offset(ms) {
    return this.local(ms) - Math.floor(ms / 1000) * 1000;
  }

  // The instant of a local time.
  instant(local) {
    const before = local - this.offset(local - DAY_MS);
    const after = local - this.offset(local + DAY_MS);
    const real = [before, after].filter((ms) => this.local(ms) === local);
    if (real.length) return Math.min(...real);
    // The clock jumped over it: the first instant after the jump, by halves.
    const jumped = this.offset(before);
    let low = Math.floor((before - DAY_MS) / 1000);
    let high = Math.floor(before / 1000);
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offset(middle * 1000) === jumped) high = middle;
      else low = middle;
    }
    return high * 1000;
  }
}

export class EventDays {
  constructor(timezone, startsAt) {
    this.zone = new Zone(timezone);
    const [hour, minute, second = 0] = startsAt.split(":").map(Number);
    this.startMs = ((hour * 60 + minute) * 60 + second) * 1000;
    this.begin = Infinity;
    this.end = -Infinity;
  }

  begins(number) {
    return this.zone.instant(number * DAY_MS + this.startMs);
  }

  number(ms) {
    if (ms < this.begin || ms >= this.end) {
      let day = Math.floor(this.zone.local(ms) / DAY_MS) + 1;
      while (this.begins(day) > ms) day -= 1;
      this.known = day;
      this.begin = this.begins(day);
      this.end = this.begins(day + 1);
    }
    return this.known;
  }

  // The local date by which a day is called, and that of an instant: "2026-06-12".
  date(number) {
    return new Date(number * DAY_MS).toISOString().slice(0, 10);
  }

  today(ms) {
    return new Date(this.zone.local(ms)).toISOString().slice(0, 10);
  }
}

// Full years on a local calendar date; born on 29 February: from 1 March on.
export function ageOn(born, day) {
  const years = Number(day.slice(0, 4)) - Number(born.slice(0, 4));
  return years - (day.slice(5) < born.slice(5) ? 1 : 0);
}
