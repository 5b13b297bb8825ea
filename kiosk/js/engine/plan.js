// The plan of an event, compiled for decisions: ops/admission/plan.py in JavaScript.
// Rows come as the server's JSON (ids are text, times RFC 3339); times become milliseconds.

const TIMES = [
  "starts_at",
  "ends_at",
  "opens_at",
  "closes_at",
  "admission_opens_at",
  "admission_closes_at",
];

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

export class Plan {
  constructor(rows) {
    this.version = rows.version;
    this.event = timed(rows.event);
    const by = (list, key) => new Map(list.map((row) => [row[key], row]));
    const scopes = rows.scopes.map((row) => timed(row, SCOPE));
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
    this.rules = new Map();
    this.ruled = new Set();
    for (const rule of rows.rules.map((row) => timed(row, RULE))) {
      this.rules.set(`${rule.scope_id} ${rule.ticket_type_id || rule.access_class}`, rule);
      this.ruled.add(rule.scope_id);
    }
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
      found.push(outer);
      parent = outer.parent_id;
    }
    return found;
  }

  // Scopes whose presence ends when this one is entered (exclusive parents).
  siblings(scope) {
    if (!scope.parent_id || !this.scopes.get(scope.parent_id).exclusive) return [];
    return this.children
      .get(scope.parent_id)
      .filter((child) => child.id !== scope.id)
      .flatMap((child) => [child, ...this.below(child)]);
  }

  ownScope(areaId) {
    return this.ownScopes.get(areaId) ?? null;
  }

  sessionsIn(areaId) {
    return this.inRoom.get(areaId) ?? [];
  }

  // By type first, then by class; a scope with any rule admits only what a rule allows.
  rule(scope, kind, access) {
    const found =
      this.rules.get(`${scope.id} ${kind.id}`) ?? this.rules.get(`${scope.id} ${access}`);
    if (found === undefined && this.ruled.has(scope.id)) return { allowed: false };
    return found ?? null;
  }

  // Gates into scopes that this type may enter, to name the right one.
  gatesFor(kind, access) {
    const named = [];
    for (const gate of this.gates.values()) {
      const scope = this.ownScope(gate.area_id);
      if (scope === null || gate.direction === "out" || gate.state === "closed") continue;
      const rule = this.rule(scope, kind, access);
      if (rule === null || rule.allowed !== false) named.push(gate);
    }
    return named;
  }
}
