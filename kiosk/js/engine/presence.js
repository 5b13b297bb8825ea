// Check 11: who of a ticket is inside, outside or spent, and the visits to write.
// ops/admission/presence.py in JavaScript.
import { least } from "/scan/js/engine/ask.js";
import { decision, say, writes } from "/scan/js/engine/outcome.js";

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

function insideOf(facts, ticket, scope) {
  return people(ticket).filter((person) => {
    const visit = visitOf(facts, scope.no, person);
    return visit !== null && isInside(visit);
  });
}

// Somebody of the ticket may enter now; finds who (`w.free`).
export function present(w) {
  const places = sorted(w);
  if (places.free.length) {
    w.free = places.free.filter((person) => !missing(w.plan, w.facts, w.scope, person));
    return w.free.length ? null : outside(w.plan, w.ask, w.facts, w.scope, places.free);
  }
  const refusal = noPlace(w, places);
  if (refusal === null) {
    w.again = true;
    w.free = insideOf(w.facts, w.ticket, w.scope);
  }
  return refusal;
}

function sorted(w) {
  const places = { free: [], inside: [], left: [], usedUp: [], usedToday: [], waiting: [] };
  const { terms } = w;
  for (const person of people(w.ticket)) {
    const visit = visitOf(w.facts, w.scope.no, person);
    if (visit === null || (!isInside(visit) && used(visit) === 0)) places.free.push(person);
    else if (isInside(visit)) places.inside.push(visit);
    else if (terms.re_entry === "never") places.left.push(visit);
    else if (terms.passes_total && used(visit) >= terms.passes_total) places.usedUp.push(visit);
    else if (spentToday(w, visit)) places.usedToday.push(visit);
    else if (terms.gap && w.ask.at_ms < visit.entered_ms + terms.gap) places.waiting.push(visit);
    else places.free.push(person);
  }
  return places;
}

function spentToday(w, visit) {
  const limit = w.terms.passes_per_day;
  if (!limit || (visit.day_used ?? 0) < limit) return false;
  return visit.day === w.plan.days.number(w.ask.at_ms);
}

// Why nobody of this ticket may enter: exactly one of four. null: a repeat is welcome.
function noPlace(w, places) {
  if (places.inside.length) return inside(w, places.inside);
  const { terms } = w;
  if (places.left.length) return spent(w, places.left, 1, false);
  if (places.usedUp.length) return spent(w, places.usedUp, terms.passes_total, false);
  if (places.usedToday.length) return spent(w, places.usedToday, terms.passes_per_day, true);
  const first = Math.min(...places.waiting.map((visit) => visit.entered_ms));
  return w.say("too_early", { when: first + terms.gap, gap: true });
}

function inside(w, visits) {
  const last = least(visits, (visit) => -visit.entered_ms);
  if (justNow(w.ask, w.facts, last)) {
    return { ...told(w, "already_inside", last), just_now: true };
  }
  const { re_entry, passes_total: total, passes_per_day: today, anti_passback: back } = w.terms;
  const always = re_entry === "always";
  const over = Boolean(total) && visits.every((visit) => used(visit) >= total);
  const overToday = visits.every((visit) => spentToday(w, visit));
  const passedBack = Boolean(back) && w.ask.at_ms < last.entered_ms + back;
  if (always && !(over || overToday || passedBack)) return null;
  if (!last.confirmed) return told(w, "unconfirmed", last);
  if (always && over && total !== 1) return w.say("passes_used", { total });
  if (always && overToday && today !== 1) {
    return w.say("passes_used", { total: today, when: nextDay(w) });
  }
  const when = always && overToday && !over ? nextDay(w) : null;
  const reason = w.scope.tracks_exits || passedBack ? "already_inside" : "already_used";
  return told(w, reason, last, when);
}

// Somebody who left and may not come back, at all or today.
function spent(w, visits, limit, today) {
  const last = least(visits, (visit) => -visit.left_ms);
  const when = today ? nextDay(w) : null;
  if (limit !== 1) return w.say("passes_used", { total: limit, when });
  if (!w.scope.tracks_exits) return told(w, "already_used", last, when);
  return w.say("re_entry_not_allowed", { since: last.left_ms, when });
}

function nextDay(w) {
  return w.plan.days.begins(w.plan.days.number(w.ask.at_ms) + 1);
}

// This device admitted the code a moment ago: one scan for a steward.
function justNow(ask, facts, last) {
  const own = facts.device !== null && last.device_no === facts.device.no;
  return own && last.entered_ms > ask.at_ms - JUST_NOW_MS;
}

// What one says of an admission that is in the way, before and after it was shown.
export const IN_THE_WAY = new Set(["already_inside", "already_used", "unconfirmed"]);

// The newest presence that an entry of these people would end, or null.
export function inTheWay({ facts, scope }, persons) {
  if (scope === null) return null;
  const visits = persons.map((person) => visitOf(facts, scope.no, person));
  const inside = visits.filter((visit) => visit?.phase === OPEN);
  return inside.length ? least(inside, (visit) => -visit.entered_ms) : null;
}

// That somebody is in by this visit: amber until its green was shown.
export function toldOf(w, visit) {
  const red = w.scope.tracks_exits ? "already_inside" : "already_used";
  return told(w, visit.confirmed ? red : "unconfirmed", visit);
}

function told(w, reason, visit, when = null) {
  return w.say(reason, {
    since: visit.entered_ms,
    gate: w.plan.gatesByNo.get(visit.gate_no)?.name,
    device: w.facts.device_names?.[visit.device_no],
    previous: visit.scan_id,
    when,
  });
}

// How many go through now; null asks the steward.
export function howMany(ask, admits, free) {
  const wanted = ask.scan.admit ?? null;
  if (admits === 1 || (free === 1 && wanted === null)) return 1;
  if (wanted !== null) return wanted <= free ? wanted : null;
  if (ask.scan.whole_order) return free;
  return COUNT_ONE.has(ask.profile) ? 1 : null;
}

// The rows of an entry: the scope, what encloses it, what it excludes.
export function admit(plan, ask, facts, scope, persons, again) {
  const opens = [];
  const closes = [];
  const day = plan.days.number(ask.at_ms);
  for (const person of persons) {
    if (missing(plan, facts, scope, person)) return outside(plan, ask, facts, scope, [person]);
    const visit = visitOf(facts, scope.no, person);
    if (visit !== null && isInside(visit)) closes.push(close(scope, person, true, true));
    const past = Boolean(facts.later);
    opens.push(nextPass(scope, person, visit, day, true, past));
    for (const outer of enteredToo(plan, facts, scope, person)) {
      opens.push(nextPass(outer, person, visitOf(facts, outer.no, person), day, false, past));
    }
    for (const other of past ? [] : plan.siblings(scope)) {
      closes.push(close(other, person, false, true));
    }
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

const isAround = (facts, outer, person) => {
  const visit = visitOf(facts, outer.no, person);
  return visit !== null && isInside(visit);
};

// The scopes around this one that an entry enters as well.
function enteredToo(plan, facts, scope, person) {
  const found = [];
  let inner = scope;
  for (const outer of plan.above(scope)) {
    if (isAround(facts, outer, person) || inner.enter_outer !== "enter") break;
    found.push(outer);
    inner = outer;
  }
  return found;
}

// The scope around this one that a person must have entered before, and has not.
function missing(plan, facts, scope, person) {
  let inner = scope;
  for (const outer of plan.above(scope)) {
    if (isAround(facts, outer, person) || inner.enter_outer === "ignore") return null;
    if (inner.enter_outer === "require") return outer;
    inner = outer;
  }
  return null;
}

// They stand outside of what encloses this place: the gates that lead there.
function outside(plan, ask, facts, scope, persons) {
  const outer = missing(plan, facts, scope, persons[0]);
  const gates = [...plan.gates.values()].filter((gate) => gate.area_id === outer.area_id);
  const ways = gates.slice(0, 3).map((gate) => gate.name);
  return say("wrong_area", ask, scope, [], { area: scope.name, gate: ways.join(", ") || null });
}

function close(scope, person, must, assumed) {
  return { scope, person_no: person, must, assumed };
}

function nextPass(scope, person, visit, eventDay, primary, past) {
  const [beforeDay, before] = [visit?.day ?? 0, visit?.day_used ?? 0];
  const same = beforeDay === eventDay ? 1 : 0;
  const [day, dayUsed] = beforeDay < eventDay ? [eventDay, 1] : [beforeDay, before + same];
  return {
    scope,
    person_no: person,
    pass_no: (visit?.pass_no ?? 0) + 1,
    undone: visit?.undone ?? 0,
    primary,
    event_day: eventDay,
    day,
    day_used: dayUsed,
    past,
  };
}

// The exit's own check: somebody of the ticket is inside, and how many go.
export function leaving(w) {
  const made = leave(w.plan, w.ask, w.facts, w.wanted);
  return writes(made) ? null : made;
}

// An exit: ends the presence in the first of these scopes that has one.
export function leave(plan, ask, facts, wanted) {
  const { ticket } = facts;
  const args = { name: ticket.name };
  for (const scope of wanted) {
    const present = insideOf(facts, ticket, scope);
    if (!present.length || facts.later) continue;
    const count = howMany(ask, ticket.admits, present.length);
    if (count === null) {
      const choices = present.map((_, index) => index + 1);
      return say("needs_count", ask, scope, choices, { free: present.length, leaving: true });
    }
    const closes = present.slice(0, count).flatMap((person) => [
      close(scope, person, true, false),
      ...plan.below(scope).map((inner) => close(inner, person, false, true)),
    ]);
    return decision({ verdict: "exited", reason: "ok", scope, closes, people: count, args });
  }
  return decision({ verdict: "exited", reason: "not_inside", scope: wanted[0] ?? null, args });
}
