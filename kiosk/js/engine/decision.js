// The device's rule engine: ops/admission/decision.py in JavaScript, held to it by the
// golden table and by random histories (tests/js). No DOM, no clock, no store.
import * as checks from "/scan/js/engine/checks.js";
import { decision, say } from "/scan/js/engine/outcome.js";
import { admit, IN_THE_WAY, inTheWay, leave, leaving, OPEN, present, toldOf, visitOf } from "/scan/js/engine/presence.js";
import { REASONS } from "/scan/js/engine/registry.js";
import { weighing } from "/scan/js/engine/weighing.js";

const RANKS = { steward: 1, supervisor: 2, door_manager: 3, event_manager: 4 };
const CLEARED_BY = { steward: 1, supervisor: 2, event_manager: 4 };
const NOBODYS = new Set(["unknown_code", "malformed_code", "unassigned_medium"]);

// The one table of rules: the checks in their order; the first that fails is the reason.
const ENTRY = [
  checks.stopped,
  checks.doors,
  checks.genuine,
  checks.ofThisEvent,
  checks.state,
  checks.ban,
  checks.area,
  checks.window,
  checks.age,
  checks.registration,
  present,
  checks.limits,
  checks.payment,
  checks.people,
  checks.questions,
];
// Never refused for the ticket's state, its window, a stop or the doors.
const EXIT = [checks.genuine, checks.ofThisEvent, leaving];

// facts: {device: {no, operator_role} | null, code_state, ticket | null,
//         visits: {"<scope no>.<person>": visit}, other_event, device_names, unbound,
//         people: {<scope or area id>: n} | null, kept}
export function decide(plan, ask, facts) {
  const w = weighing(plan, ask, facts);
  const made = first(w);
  return ask.scan.override ? override(w, made) : made;
}

function first(w) {
  for (const check of w.ask.direction === "out" ? EXIT : ENTRY) {
    const found = check(w);
    if (found) return found;
  }
  if (w.ask.direction === "out") return leave(w.plan, w.ask, w.facts, w.wanted);
  const made = admit(w.plan, w.ask, w.facts, w.scope, w.persons, w.again);
  return w.given.length ? { ...made, given: w.given } : made;
}

// A supervisor's act. Never for what nobody may clear.
function override(w, before) {
  const rank = RANKS[w.facts.device?.operator_role] ?? 0;
  let made = before;
  if ((made.verdict === "hold" || made.verdict === "refused") && w.ask.direction === "in") {
    const needed = CLEARED_BY[REASONS[made.reason].clear_by];
    if (needed === undefined) return made;
    // Whether a place is full is for the server's commit to say.
    const full = made.reason === "area_full";
    if (rank < Math.max(needed, RANKS.supervisor)) {
      return full ? made : say("needs_supervisor", w.ask, w.scope);
    }
    const persons = personsOf(w);
    const against = inTheWay(w, persons);
    const told = since(w, made, against);
    if (told) return told;
    made = act(w, made, persons);
    if (made.overridden && against) made = { ...made, against: against.scan_id };
  }
  if (made.verdict === "admitted" && rank >= RANKS.event_manager) {
    made = { ...made, past_limits: true };
  }
  return made;
}

// What came in the way since the screen said what the supervisor decided on: two who let
// in one ticket at two doors let in one guest. null: it is as it was, or nobody says.
function since(w, made, against) {
  const { saw = null, previous = null } = w.ask.scan.override;
  if (saw === null || saw === "needs_supervisor") return null;
  if (against) {
    if (previous === null && IN_THE_WAY.has(saw)) return null;
    return previous === against.scan_id ? null : toldOf(w, against);
  }
  return saw === made.reason ? null : made;
}

// Who of a ticket goes in by a supervisor's act: those outside first.
function personsOf({ ask, facts, scope, ticket }) {
  if (scope === null || ticket === null) return [];
  const inside = (person) => visitOf(facts, scope.no, person)?.phase === OPEN;
  const all = Array.from({ length: ticket.admits }, (_, index) => index + 1);
  return [...all.filter((person) => !inside(person)), ...all.filter(inside)].slice(0, ask.scan.admit || 1);
}

// The admission that a supervisor orders instead of this answer.
function act(w, made, persons) {
  const { scope, ticket } = w;
  const people = w.ask.scan.admit || 1;
  if (scope === null) return made;
  if (ticket === null) {
    if (!NOBODYS.has(made.reason)) return made;
    const counted = { area_id: scope.area_id, people };
    const overridden = made.reason;
    return decision({ verdict: "admitted", reason: "ok", scope, people, counted, overridden });
  }
  const admitted = admit(w.plan, w.ask, w.facts, scope, persons, false);
  if (admitted.verdict !== "admitted") return admitted;
  return { ...admitted, overridden: made.reason === "area_full" ? "" : made.reason };
}

// The same scan after the counters found no place for it.
export function full(ask, made, plan, fits) {
  return checks.areaFull(plan, ask, made.scope, fits);
}
