// Check 11: who of a ticket is inside, outside or spent, and the visits to write.
// ops/admission/presence.py in JavaScript.
import { least } from "/scan/js/engine/ask.js";
import { decision, say } from "/scan/js/engine/outcome.js";

const JUST_NOW_MS = 10_000;
const COUNT_ONE = new Set(["turnstile", "kiosk"]);

export const OPEN = 0;
export const CLOSED = 1;
export const UNDONE = 2;

const isInside = (visit) => visit.phase === OPEN;
const used = (visit) => visit.pass_no - visit.undone;

export function visitOf(facts, scopeNo, person) {
  return facts.visits[`${scopeNo}.${person}`] ?? null;
}

function people(ticket) {
  return Array.from({ length: ticket.admits }, (_, index) => index + 1);
}

export function enter(plan, ask, facts, ticket, scope, rule) {
  const reEntry = rule?.re_entry || scope.re_entry;
  const limit = rule?.passes_total || scope.passes_total || null;
  let outside = [];
  const inside = [];
  const spent = [];
  for (const person of people(ticket)) {
    const visit = visitOf(facts, scope.no, person);
    if (visit === null || (!isInside(visit) && used(visit) === 0)) outside.push(person);
    else if (isInside(visit)) inside.push(visit);
    else if (reEntry === "never" || (limit && used(visit) >= limit)) spent.push(visit);
    else outside.push(person);
  }
  const again = outside.length === 0;
  if (again) {
    const refusal = noPlace(plan, ask, facts, scope, inside, spent, reEntry, limit);
    if (refusal) return refusal;
    outside = people(ticket).filter((person) => {
      const visit = visitOf(facts, scope.no, person);
      return visit !== null && isInside(visit);
    });
  }
  const count = howMany(ask, ticket, outside.length);
  if (count === null) {
    const choices = outside.map((_, index) => index + 1);
    return say("needs_count", ask, scope, choices, { free: outside.length });
  }
  return admit(plan, ask, facts, scope, outside.slice(0, count), again);
}

// Why nobody of this ticket may enter: exactly one of four. null: a repeat is welcome.
function noPlace(plan, ask, facts, scope, inside, spent, reEntry, limit) {
  const left =
    reEntry === "always" && !(limit && inside.every((visit) => used(visit) >= limit));
  if (inside.length) {
    const last = least(inside, (visit) => -visit.entered_ms);
    if (justNow(ask, facts, last)) {
      return { ...told(plan, ask, facts, "already_inside", scope, last), just_now: true };
    }
    if (left) return null;
    if (!last.confirmed) return told(plan, ask, facts, "unconfirmed", scope, last);
    if (reEntry === "always" && limit && limit > 1) {
      return say("passes_used", ask, scope, [], { total: limit });
    }
    const reason = scope.tracks_exits ? "already_inside" : "already_used";
    return told(plan, ask, facts, reason, scope, last);
  }
  const last = least(spent, (visit) => -visit.left_ms);
  const single = reEntry === "never" || limit === 1;
  if (!scope.tracks_exits && single) {
    return told(plan, ask, facts, "already_used", scope, last);
  }
  if (single) return say("re_entry_not_allowed", ask, scope, [], { since: last.left_ms });
  return say("passes_used", ask, scope, [], { total: limit });
}

// This device admitted the code a moment ago: one scan for a steward.
function justNow(ask, facts, last) {
  const own = facts.device !== null && last.device_no === facts.device.no;
  return own && last.entered_ms > ask.at_ms - JUST_NOW_MS;
}

function told(plan, ask, facts, reason, scope, visit) {
  return say(reason, ask, scope, [], {
    since: visit.entered_ms,
    gate: plan.gatesByNo.get(visit.gate_no)?.name,
    device: facts.device_names?.[visit.device_no],
    previous: visit.scan_id,
  });
}

// How many enter now; null asks the steward.
function howMany(ask, ticket, free) {
  const wanted = ask.scan.admit ?? null;
  if (ticket.admits === 1 || (free === 1 && wanted === null)) return 1;
  if (wanted !== null) return wanted <= free ? wanted : null;
  return COUNT_ONE.has(ask.profile) ? 1 : null;
}

// The rows of an entry: the scope, what encloses it, what it excludes.
export function admit(plan, ask, facts, scope, persons, again) {
  const opens = [];
  const closes = [];
  for (const person of persons) {
    const visit = visitOf(facts, scope.no, person);
    if (visit !== null && isInside(visit)) closes.push(close(scope, person, true, true));
    opens.push(nextPass(scope, person, visit, true));
    let inner = scope;
    for (const outer of plan.above(scope)) {
      const around = visitOf(facts, outer.no, person);
      if (around !== null && isInside(around)) break;
      const way = inner.enter_outer ?? "enter";
      if (way === "require") {
        const names = [...plan.gates.values()]
          .filter((gate) => gate.area_id === outer.area_id)
          .map((gate) => gate.name);
        const gate = names.slice(0, 3).join(", ") || null;
        return say("wrong_area", ask, scope, [], { area: scope.name, gate });
      }
      if (way !== "enter") break;
      opens.push(nextPass(outer, person, around, false));
      inner = outer;
    }
    for (const other of plan.siblings(scope)) closes.push(close(other, person, false, true));
  }
  return decision({
    verdict: "admitted",
    reason: again ? "welcome_back" : "ok",
    scope,
    opens,
    closes,
    people: persons.length,
    args: { name: facts.ticket.name },
  });
}

function close(scope, person, must, assumed) {
  return { scope, person_no: person, must, assumed };
}

function nextPass(scope, person, visit, primary) {
  const passNo = (visit?.pass_no ?? 0) + 1;
  return { scope, person_no: person, pass_no: passNo, undone: visit?.undone ?? 0, primary };
}

// An exit: ends the presence in the first of these scopes that has one.
export function leave(plan, ask, facts, wanted) {
  const ticket = facts.ticket;
  for (const scope of wanted) {
    const present = people(ticket).filter((person) => {
      const visit = visitOf(facts, scope.no, person);
      return visit !== null && isInside(visit);
    });
    if (!present.length) continue;
    const count = howMany(ask, ticket, present.length);
    if (count === null) {
      const choices = present.map((_, index) => index + 1);
      return say("needs_count", ask, scope, choices, { free: present.length });
    }
    const closes = present.slice(0, count).flatMap((person) => [
      close(scope, person, true, false),
      ...plan.below(scope).map((inner) => close(inner, person, false, true)),
    ]);
    const args = { name: ticket.name };
    return decision({ verdict: "exited", reason: "ok", scope, closes, people: count, args });
  }
  return decision({
    verdict: "exited",
    reason: "not_inside",
    scope: wanted[0] ?? null,
    args: { name: ticket.name },
  });
}
