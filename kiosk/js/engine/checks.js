// The checks of an entry but for presence: ops/admission/checks.py in JavaScript. A check
// takes the scales and gives the answer if it does not hold, else null.
import { ageOn } from "/scan/js/engine/days.js";
import { say } from "/scan/js/engine/outcome.js";
import { howMany } from "/scan/js/engine/presence.js";
import { AGE, ageCheck, settle } from "/scan/js/engine/questions.js";
import { earliest, latest } from "/scan/js/engine/terms.js";

const STATES = {
  unpaid: "unpaid",
  pending: "unpaid",
  expired: "unpaid",
  cancelled: "cancelled",
  refunded: "refunded",
  blocked: "blocked",
};
// By CodeState: 0 live, 1 reissued, 2 exchanged, 3 lost.
const CODE_STATES = [null, "reissued", "exchanged", "reissued"];
const shut = (state) => state === "closed" || state === "held";

export function stopped(w) {
  const where = w.plan.stopped(w.ask.gate, w.scope);
  return where ? w.say("admission_stopped", { where }) : null;
}

export function doors(w) {
  const { gate } = w.ask;
  if (gate && shut(gate.state)) {
    const instead = gate.use_instead_id ? w.plan.gates.get(gate.use_instead_id) : null;
    return w.say("doors_closed", { gate: instead?.name, held: gate.state === "held" || null });
  }
  const state = w.plan.event.doors_state;
  return shut(state) ? w.say("doors_closed", { held: state === "held" || null }) : null;
}

export function genuine(w) {
  if (w.ask.code_kind === "malformed") return w.say("malformed_code");
  if (w.ticket !== null) return null;
  if (w.ask.code_kind === "own" && w.ask.forged()) return w.say("forged_code");
  if (w.facts.other_event) return null;
  const unbound = w.ask.scan.method === "nfc" || w.facts.unbound;
  return w.say(unbound ? "unassigned_medium" : "unknown_code");
}

export function ofThisEvent(w) {
  const other = w.facts.other_event;
  if (w.ticket !== null || !other) return null;
  return w.say("other_event", { event: other.title, when: other.starts_at_ms });
}

export function state(w) {
  const { name } = w.ticket;
  if (w.facts.code_state !== 0) return w.say(CODE_STATES[w.facts.code_state]);
  if (w.ticket.state === "valid") return null;
  return w.say(STATES[w.ticket.state] ?? "blocked", { name });
}

export function ban(w) {
  const until = w.special.ban_until_ms;
  if (!w.special.ban || (until && w.ask.at_ms >= until)) return null;
  if (w.special.ban === "banned") return w.say("banned");
  return w.say("needs_supervisor", { perhaps_banned: true, name: w.ticket.name });
}

export function area(w) {
  if (w.wanted.length > 1) {
    const room = w.plan.areas.get(w.wanted[0].area_id);
    const choices = w.wanted.map((item) => item.session_id).filter(Boolean);
    return say("choose_session", w.ask, null, choices, { area: room.name });
  }
  if (w.terms?.allowed) return null;
  const areaId = w.scope ? w.scope.area_id : w.ask.gate?.area_id;
  const right = w.kind ? w.plan.gatesFor(w.kind, w.ticket.access_class, w.ask.at_ms) : [];
  const names = right.slice(0, 3).map((gate) => gate.name);
  return w.say("wrong_area", {
    type: w.kind?.name,
    area: w.plan.areas.get(areaId)?.name,
    gate: names.join(", ") || null,
    unplanned: w.wanted.length ? null : true,
  });
}

export function window(w) {
  const opens = latest(w.terms.opens, w.ticket.valid_from_ms);
  const closes = earliest(w.terms.closes, w.ticket.valid_to_ms);
  if (opens && w.ask.at_ms < opens) return w.say("too_early", { when: opens });
  if (closes && w.ask.at_ms >= closes) return w.say("too_late", { when: closes });
  return null;
}

export function age(w) {
  const least = w.terms.min_age;
  if (!least) return null;
  const years = yearsOf(w);
  const said = w.ask.scan.answers?.[AGE];
  if ((years !== null && years < least) || (years === null && said === false)) {
    const place = w.scope ? w.plan.areas.get(w.scope.area_id).name : null;
    return w.say("under_age", { area: place, years: least });
  }
  return null;
}

export function registration(w) {
  const { scope, ticket } = w;
  if (scope === null || ticket.access_class !== "guest") return null;
  for (const [scopeNo, releasedMs] of w.special.released) {
    if (scopeNo === scope.no) {
      return w.say("seat_released", { when: releasedMs, session: scope.name });
    }
  }
  const atDoor = scope.door_mode === "register";
  if (!atDoor && scope.door_mode !== "registered") return null;
  if (ticket.registered.includes(scope.no)) return null;
  const told = { name: ticket.name, session: scope.name };
  return w.say("not_registered", atDoor ? { ...told, at_door: true } : told);
}

// Room for them, as far as the facts know.
export function limits(w) {
  const { people, kept = {} } = w.facts;
  if (!people || w.again) return null;
  let room = null;
  for (const [place, capacity] of w.plan.limits(w.scope)) {
    const from = w.plan.keptFrom(place, w.kind, w.ticket.access_class, w.ask.at_ms);
    const held = from.reduce((sum, one) => sum + (kept[one] ?? 0), 0);
    const left = capacity - (people[place] ?? 0) - held;
    room = room === null ? left : Math.min(room, left);
  }
  const needed = w.ask.scan.admit || 1;
  if (room === null || room >= Math.min(needed, w.free.length)) return null;
  return areaFull(w.plan, w.ask, w.scope, Math.max(0, room));
}

export function areaFull(plan, ask, scope, fits) {
  const place = plan.areas.get(scope.area_id);
  const other = place.overflow_area_id ? plan.areas.get(place.overflow_area_id) : null;
  const name = scope.session_id ? scope.name : place.name;
  return say("area_full", ask, scope, [], { area: name, overflow: other?.name, fits });
}

export function payment(w) {
  return w.special.due ? w.say("payment_due", { amount: w.special.due }) : null;
}

export function people(w) {
  const free = w.free.length;
  const count = howMany(w.ask, w.ticket.admits, free);
  if (count === null) {
    const choices = w.free.map((_, index) => index + 1);
    return say("needs_count", w.ask, w.scope, choices, { free });
  }
  w.persons = w.free.slice(0, count);
  return null;
}

// The ID of who may be too young, then the open questions.
export function questions(w) {
  const given = [];
  const answers = w.ask.scan.answers ?? null;
  const least = w.terms.min_age;
  if (least && yearsOf(w) === null && w.special.age_seen < least) {
    if (answers?.[AGE] !== true) {
      return { ...w.say("id_check", { years: least }), questions: [ageCheck(least)] };
    }
    given.push({ question_id: null, value: true, years: least });
  }
  const asks = w.plan.asks(w.scope, w.kind, w.ticket.access_class);
  if (asks.length && !w.again) {
    const settled = settle(asks, answers, w.special.answered);
    if (settled.open.length) {
      const made = w.say("needs_answers", { count: settled.open.length });
      return { ...made, questions: settled.open };
    }
    given.push(...settled.given);
  }
  w.given = given;
  return null;
}

// The age of the holder; null: not known, or the ticket is for several people.
function yearsOf(w) {
  if (!w.special.born || w.ticket.admits > 1) return null;
  return ageOn(w.special.born, w.plan.days.today(w.ask.at_ms));
}
