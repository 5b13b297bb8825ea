// The device's rule engine: ops/admission/decision.py in JavaScript, held to it by the
// golden table and by random histories (tests/js). No DOM, no clock, no store.
import { candidates } from "/scan/js/engine/ask.js";
import { say } from "/scan/js/engine/outcome.js";
import { admit, enter, leave, OPEN, visitOf } from "/scan/js/engine/presence.js";
import { REASONS } from "/scan/js/engine/registry.js";

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
const RANKS = { steward: 1, supervisor: 2, door_manager: 3, event_manager: 4 };
const CLEARED_BY = { steward: 1, supervisor: 2, event_manager: 4 };

// facts: {device: {no, operator_role} | null, code_state, ticket | null,
//         visits: {"<scope no>.<person>": visit}, other_event, device_names}
export function decide(plan, ask, facts) {
  let made = ask.direction === "out" ? leaving(plan, ask, facts) : entering(plan, ask, facts);
  if (!ask.scan.override) return made;
  if (made.verdict === "hold" || made.verdict === "refused") {
    made = override(plan, ask, facts, made);
  }
  if (made.verdict === "admitted" && rank(facts) >= RANKS.event_manager) {
    made = { ...made, past_limits: true };
  }
  return made;
}

// The one table of rules: the checks in their order; the first that fails is the reason.
function entering(plan, ask, facts) {
  const wanted = candidates(plan, ask);
  const scope = wanted.length === 1 ? wanted[0] : null;
  const early = doors(plan, ask, scope) ?? code(ask, facts, scope);
  if (early) return early;
  const ticket = facts.ticket;
  const kind = plan.typesByNo.get(ticket.type_no) ?? null;
  if (ticket.state !== "valid") {
    return say(STATES[ticket.state] ?? "blocked", ask, scope, [], { name: ticket.name });
  }
  if (wanted.length > 1) {
    const choices = wanted.map((item) => item.session_id).filter(Boolean);
    const area = plan.areas.get(wanted[0].area_id).name;
    return say("choose_session", ask, null, choices, { area });
  }
  if (scope === null || kind === null) return wrongArea(plan, ask, kind, ticket, scope);
  const rule = plan.rule(scope, kind, ticket.access_class);
  if (rule !== null && rule.allowed === false) return wrongArea(plan, ask, kind, ticket, scope);
  return (
    outsideWindow(plan, ask, ticket, scope, rule) ??
    notRegistered(ask, ticket, scope) ??
    enter(plan, ask, facts, ticket, scope, rule)
  );
}

// Never refused for the ticket's state, its window or the doors.
function leaving(plan, ask, facts) {
  const wanted = candidates(plan, ask);
  return code(ask, facts, wanted[0] ?? null) ?? leave(plan, ask, facts, wanted);
}

function doors(plan, ask, scope) {
  const { gate } = ask;
  const shut = (state) => state === "closed" || state === "held";
  if (gate && shut(gate.state)) {
    const instead = gate.use_instead_id ? plan.gates.get(gate.use_instead_id) : null;
    return say("doors_closed", ask, scope, [], { gate: instead?.name });
  }
  return shut(plan.event.doors_state) ? say("doors_closed", ask, scope) : null;
}

function code(ask, facts, scope) {
  if (ask.code_kind === "malformed") return say("malformed_code", ask, scope);
  if (facts.ticket === null) {
    if (ask.code_kind === "own" && ask.forged()) return say("forged_code", ask, scope);
    const other = facts.other_event;
    if (other) {
      const args = { event: other.title, when: other.starts_at_ms };
      return say("other_event", ask, scope, [], args);
    }
    return say("unknown_code", ask, scope);
  }
  if (facts.code_state !== 0 && ask.direction === "in") {
    return say(CODE_STATES[facts.code_state], ask, scope);
  }
  return null;
}

function wrongArea(plan, ask, kind, ticket, scope) {
  const areaId = scope ? scope.area_id : (ask.gate?.area_id ?? null);
  const right = kind ? plan.gatesFor(kind, ticket.access_class) : [];
  const names = right.slice(0, 3).map((gate) => gate.name);
  return say("wrong_area", ask, scope, [], {
    type: kind?.name,
    area: plan.areas.get(areaId)?.name,
    gate: names.join(", ") || null,
  });
}

// The latest opening and the earliest closing of all that apply.
function outsideWindow(plan, ask, ticket, scope, rule) {
  const opens = [scope.opens_at, rule?.opens_at, ticket.valid_from_ms];
  const closes = [scope.closes_at, rule?.closes_at, ticket.valid_to_ms];
  if (scope.kind === "venue") {
    opens.push(plan.event.admission_opens_at);
    closes.push(plan.event.admission_closes_at);
  }
  const start = Math.max(...opens.filter(Boolean));
  const end = Math.min(...closes.filter(Boolean));
  if (ask.at_ms < start) return say("too_early", ask, scope, [], { when: start });
  if (ask.at_ms >= end) return say("too_late", ask, scope, [], { when: end });
  return null;
}

function notRegistered(ask, ticket, scope) {
  if ((scope.door_mode ?? "open") !== "registered" || ticket.access_class !== "guest") return null;
  if (ticket.registered.includes(scope.no)) return null;
  const args = { name: ticket.name, session: scope.name };
  return say("not_registered", ask, scope, [], args);
}

// A supervisor's act. Never for what nobody may clear.
function override(plan, ask, facts, made) {
  const needed = CLEARED_BY[REASONS[made.reason].clear_by];
  const { ticket } = facts;
  const { scope } = made;
  if (needed === undefined || ticket === null || scope === null || ask.direction === "out") {
    return made;
  }
  if (rank(facts) < Math.max(needed, RANKS.supervisor)) return say("needs_supervisor", ask, scope);
  const inside = (person) => visitOf(facts, scope.no, person)?.phase === OPEN;
  const all = Array.from({ length: ticket.admits }, (_, index) => index + 1);
  const ordered = [...all.filter((person) => !inside(person)), ...all.filter(inside)];
  const admitted = admit(plan, ask, facts, scope, ordered.slice(0, ask.scan.admit || 1), false);
  if (admitted.verdict !== "admitted") return admitted;
  return { ...admitted, overridden: made.reason };
}

function rank(facts) {
  return RANKS[facts.device?.operator_role] ?? 0;
}

// The same scan after the counters found no place for it.
export function full(ask, made, plan, fits) {
  const { scope } = made;
  const area = plan.areas.get(scope.area_id);
  const overflow = area.overflow_area_id ? plan.areas.get(area.overflow_area_id) : null;
  return say("area_full", ask, scope, [], {
    area: scope.session_id ? scope.name : area.name,
    overflow: overflow?.name,
    fits,
  });
}
