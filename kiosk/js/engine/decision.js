// The device's rule engine: ops/admission/decision.py in JavaScript, held to it by the
// golden table and by random histories (tests/js). No DOM, no clock, no store.
import * as checks from "/scan/js/engine/checks.js";
import { decision, say } from "/scan/js/engine/outcome.js";
import { admit, leave, leaving, OPEN, present, visitOf } from "/scan/js/engine/presence.js";
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
    made = act(w, made);
  }
  if (made.verdict === "admitted" && rank >= RANKS.event_manager) {
    made = { ...made, past_limits: true };
  }
  return made;
}

// The admission that a supervisor orders instead of this answer.
function act(w, made) {
  const { scope, ticket } = w;
  const people = w.ask.scan.admit || 1;
  if (scope === null) return made;
  if (ticket === null) {
    if (!NOBODYS.has(made.reason)) return made;
    const counted = { area_id: scope.area_id, people };
    const overridden = made.reason;
    return decision({ verdict: "admitted", reason: "ok", scope, people, counted, overridden });
  }
  const inside = (person) => visitOf(w.facts, scope.no, person)?.phase === OPEN;
  const all = Array.from({ length: ticket.admits }, (_, index) => index + 1);
  const ordered = [...all.filter((person) => !inside(person)), ...all.filter(inside)];
  const admitted = admit(w.plan, w.ask, w.facts, scope, ordered.slice(0, people), false);
  if (admitted.verdict !== "admitted") return admitted;
  return { ...admitted, overridden: made.reason === "area_full" ? "" : made.reason };
}

// The same scan after the counters found no place for it.
export function full(ask, made, plan, fits) {
  return checks.areaFull(plan, ask, made.scope, fits);
}
