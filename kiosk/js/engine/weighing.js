// What the checks of one scan share: ops/admission/weighing.py in JavaScript.
import { candidates } from "/scan/js/engine/ask.js";
import { say } from "/scan/js/engine/outcome.js";
import { ofTicket, specialOf } from "/scan/js/engine/terms.js";

export function weighing(plan, ask, facts) {
  const wanted = candidates(plan, ask);
  const scope = wanted.length === 1 ? wanted[0] : null;
  const { ticket } = facts;
  const special = specialOf(ticket);
  const kind = ticket ? (plan.typesByNo.get(ticket.type_no) ?? null) : null;
  let terms = null;
  if (scope && kind) {
    terms = ofTicket(plan.terms(scope, kind, ticket.access_class, ask.at_ms), special, scope.no);
  }
  return {
    plan,
    ask,
    facts,
    wanted,
    scope,
    ticket,
    special,
    kind,
    terms,
    free: [],
    again: false,
    persons: [],
    given: [],
    // An answer that writes nothing, about the scope of this scan.
    say: (reason, args = {}) => say(reason, ask, scope, [], args),
  };
}
