// The plan of an event, compiled for decisions: ops/admission/plan.py in JavaScript.
// Rows come as the server's JSON (ids are text, times RFC 3339); times become milliseconds.
import { EventDays } from "/scan/js/engine/days.js";
import { whole } from "/scan/js/engine/questions.js";
import { earliest, latest } from "/scan/js/engine/terms.js";

const TIMES = [
  "starts_at",
  "ends_at",
  "opens_at",
  "closes_at",
  "admission_opens_at",
  "admission_closes_at",
  "doors_open_at",
  "until",
];
const MINUTE_MS = 60_000;

export function instant(text) {
  return text === null || text === undefined ? null : Date.parse(text);
}

// What the server's structures default to, for rows that leave it out.
const SCOPE = {
  limit_kind: "hard",
  tracks_exits: true,
  re_entry: "after_exit",
  enter_outer: "enter",
  exclusive: false,
  door_mode: "open",
};
const GATE = { direction: "both", state: "open" };
const RULE = { allowed: true };

function timed(row, defaults = {}) {
  const made = { ...defaults, ...row };
  for (const name of TIMES) if (name in made) made[name] = instant(made[name]);
  return made;
}

// The same row with its relative window as instants.
function withWindow(row, scope, event) {
  if (!row.opens_anchor && !row.closes_anchor) return row;
  const anchors = {
    doors: (event.doors_open_at || event.starts_at) + (event.doors_delay_minutes || 0) * MINUTE_MS,
    event_start: event.starts_at,
    event_end: event.ends_at,
    session_start: scope.starts_at || event.starts_at,
    session_end: scope.ends_at || event.ends_at,
  };
  const placed = (anchor, minutes, fixed) => {
    const begin = anchor ? anchors[anchor] : null;
    return begin ? begin + (minutes || 0) * MINUTE_MS : fixed;
  };
  return {
    ...row,
    opens_at: placed(row.opens_anchor, row.opens_offset_minutes, row.opens_at),
    closes_at: placed(row.closes_anchor, row.closes_offset_minutes, row.closes_at),
  };
}

// The first that is given, in milliseconds; 0 is none.
function minutes(...given) {
  const found = given.find((one) => one !== null && one !== undefined);
  return found ? found * MINUTE_MS : null;
}

export class Plan {
  constructor(rows) {
    this.version = rows.version;
    this.event = timed(rows.event);
    const by = (list, key) => new Map(list.map((row) => [row[key], row]));
    this.days = new EventDays(rows.event.timezone, rows.event.day_starts_at);
    const scopes = rows.scopes
      .map((row) => timed(row, SCOPE))
      .map((row) => withWindow(row, row, this.event));
    const gates = rows.gates.map((row) => timed(row, GATE));
    this.areas = by(rows.areas, "id");
    this.scopes = by(scopes, "id");
    this.gates = by(gates, "id");
    this.gatesByNo = by(gates, "no");
    this.scopesByNo = by(scopes, "no");
    this.typesByNo = by(rows.types, "no");
    this.scopeOfSession = new Map();
    this.ownScopes = new Map();
    this.inRoom = new Map();
    this.children = new Map();
    const push = (map, key, value) => map.set(key, [...(map.get(key) ?? []), value]);
    for (const scope of scopes) {
      if (scope.session_id) {
        this.scopeOfSession.set(scope.session_id, scope);
        push(this.inRoom, scope.area_id, scope);
      } else this.ownScopes.set(scope.area_id, scope);
      if (scope.parent_id) push(this.children, scope.parent_id, scope);
    }
    this.questions = (rows.questions ?? []).map(whole);
    this.rules = new Map();
    this.ruled = new Set();
    this.byDay = new Set();
    for (const rule of rows.rules.map((row) => timed(row, RULE))) this.addRule(rule);
    this.held = new Map();
    for (const one of (rows.held ?? []).map((row) => timed(row))) {
      const place = one.scope_id || one.area_id;
      if (place) push(this.held, place, one);
    }
    const stops = rows.stops ?? [];
    this.stoppedAll = stops.some((stop) => !stop.gate_id && !stop.area_id);
    this.stoppedGates = new Set(stops.map((stop) => stop.gate_id).filter(Boolean));
    this.stoppedAreas = this.areasBelow(stops.map((stop) => stop.area_id).filter(Boolean));
  }

  addRule(rule) {
    const scope = this.scopes.get(rule.scope_id);
    if (!scope) return; // of a scope that is cancelled or has no place
    const key = rule.ticket_type_id || rule.access_class;
    const placed = withWindow(rule, scope, this.event);
    this.rules.set(`${rule.scope_id} ${key} ${rule.day ?? ""}`, placed);
    this.ruled.add(rule.scope_id);
    if (rule.day) this.byDay.add(rule.scope_id);
  }

  areasBelow(stopped) {
    const found = new Set(stopped);
    for (let before = -1; before !== found.size && found.size; ) {
      before = found.size;
      for (const area of this.areas.values()) if (found.has(area.parent_id)) found.add(area.id);
    }
    return found;
  }

  // Scopes inside this one: leaving it leaves them.
  below(scope) {
    const found = [];
    const waiting = [...(this.children.get(scope.id) ?? [])];
    while (waiting.length && found.length < this.scopes.size) {
      const child = waiting.pop();
      found.push(child);
      waiting.push(...(this.children.get(child.id) ?? []));
    }
    return found;
  }

  // Scopes around this one, the nearest first.
  above(scope) {
    const found = [];
    let parent = scope.parent_id;
    while (parent && found.length < this.scopes.size) {
      const outer = this.scopes.get(parent);
      if (!outer) break; // without a place, or of a session that was cancelled
      found.push(outer);
      parent = outer.parent_id;
    }
    return found;
  }

  // Scopes whose presence ends when this one is entered (exclusive parents). Whoever enters
  // a zone is in those around it as well, and so no more in theirs.
  siblings(scope) {
    const found = [];
    const way = [scope, ...this.above(scope)];
    for (const inner of way) {
      if (this.scopes.get(inner.parent_id)?.exclusive) {
        const beside = this.children.get(inner.parent_id).filter((child) => !way.includes(child));
        found.push(...beside.flatMap((child) => [child, ...this.below(child)]));
      }
      if (inner.enter_outer === "ignore") break;
    }
    return found;
  }

  ownScope(areaId) {
    return this.ownScopes.get(areaId) ?? null;
  }

  sessionsIn(areaId) {
    return this.inRoom.get(areaId) ?? [];
  }

  // By type before class, of the day before all; a scope with any rule admits only what a
  // rule allows. null: allowed by the scope's own settings.
  rule(scope, kind, access, day) {
    for (const key of [kind.id, access]) {
      for (const ofDay of [day ?? "", ""]) {
        const found = this.rules.get(`${scope.id} ${key} ${ofDay}`);
        if (found) return found;
      }
    }
    return this.ruled.has(scope.id) ? { allowed: false } : null;
  }

  // What a type of this class may at a scope at that time, all rules merged.
  terms(scope, kind, access, at) {
    const day = this.byDay.has(scope.id) ? this.days.date(this.days.number(at)) : null;
    const first = this.rule(scope, kind, access, day) ?? { allowed: true };
    const area = this.areas.get(scope.area_id);
    const event = scope.kind === "venue" ? this.event : {};
    return {
      allowed: first.allowed,
      opens: latest(scope.opens_at, first.opens_at, event.admission_opens_at),
      closes: earliest(scope.closes_at, first.closes_at, event.admission_closes_at),
      re_entry: first.re_entry || scope.re_entry,
      passes_total: first.passes_total || scope.passes_total || null,
      passes_per_day: first.passes_per_day || scope.passes_per_day || null,
      gap: minutes(first.pass_gap_minutes, scope.pass_gap_minutes),
      anti_passback: minutes(first.anti_passback_minutes, scope.anti_passback_minutes),
      min_age: Math.max(kind.min_age || 0, area.min_age || 0, first.min_age || 0),
    };
  }

  // The questions to people of this type and class at this scope, in order.
  asks(scope, kind, access) {
    const fits = (wanted, mine) => wanted === null || wanted === mine;
    return this.questions.filter(
      (question) =>
        fits(question.scope_id, scope.id) &&
        fits(question.ticket_type_id, kind.id) &&
        fits(question.access_class, access),
    );
  }

  // Where admission is stopped for this scan: event | area | gate, or "".
  stopped(gate, scope) {
    if (this.stoppedAll) return "event";
    if (this.stoppedAreas.has(gate?.area_id) || this.stoppedAreas.has(scope?.area_id)) return "area";
    return gate && this.stoppedGates.has(gate.id) ? "gate" : "";
  }

  // The held places of a scope or area that are not for this type or class.
  keptFrom(place, kind, access, at) {
    return (this.held.get(place) ?? [])
      .filter((one) => (one.until ?? null) === null || at < one.until)
      .filter((one) => one.access_class !== access)
      .filter((one) => !one.ticket_type_id || !kind || one.ticket_type_id !== kind.id)
      .map((one) => one.id);
  }

  // The hard limits on the way into a scope: its own, its area's.
  limits(scope) {
    const area = this.areas.get(scope.area_id);
    return [scope, area]
      .filter((one) => (one.capacity ?? null) !== null && one.limit_kind === "hard")
      .map((one) => [one.id, one.capacity]);
  }

  // Gates into scopes that this type may enter, to name the right one.
  gatesFor(kind, access, at) {
    return [...this.gates.values()].filter((gate) => {
      const scope = this.ownScope(gate.area_id);
      if (scope === null || gate.direction === "out" || gate.state === "closed") return false;
      return this.terms(scope, kind, access, at).allowed;
    });
  }
}
