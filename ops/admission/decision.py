"""The rule engine: what a scan means, decided from facts. Here a scan is decided.

`_entry` is the one table of rules: the checks in door.md's order, top to bottom; the
first that does not hold gives the reason. What the last of them asks (who is inside,
which pass is next) is in `presence`. Pure: no store, no clock, no text for people (a
decision carries a reason and arguments; `ops.checkin.answers` makes the sentence).
"""

from __future__ import annotations

import msgspec

from ops.admission import presence
from ops.admission.ask import Ask, candidates
from ops.admission.outcome import Decision, say
from ops.admission.plan import AccessRule, Plan, ScopePlan, TypePlan
from ops.admission.scan_facts import ScanFacts
from ops.admission.verdicts import REASONS
from ops.cache.entry import CodeState, TicketEntry, from_ms, ms

_STATES = {
    "unpaid": "unpaid",
    "pending": "unpaid",
    "expired": "unpaid",  # the order ran out before it was paid
    "cancelled": "cancelled",
    "refunded": "refunded",
    "blocked": "blocked",
}
_CODE_STATES = {
    CodeState.REISSUED: "reissued",
    CodeState.EXCHANGED: "exchanged",
    CodeState.LOST: "reissued",
}
_RANKS = {"steward": 1, "supervisor": 2, "door_manager": 3, "event_manager": 4}
_CLEARED_BY = {"steward": 1, "supervisor": 2, "event_manager": 4}


def decide(plan: Plan, ask: Ask, facts: ScanFacts) -> Decision:
    """Decide one scan. The order of the checks is door.md's."""
    weigh = _exit if ask.direction == "out" else _entry
    decision = weigh(plan, ask, facts)
    if not ask.scan.override:
        return decision
    if decision.verdict in ("hold", "refused"):
        decision = _override(plan, ask, facts, decision)
    if decision.verdict == "admitted" and _rank(facts) >= _RANKS["event_manager"]:
        decision = msgspec.structs.replace(decision, past_limits=True)
    return decision


def _entry(plan: Plan, ask: Ask, facts: ScanFacts) -> Decision:
    wanted = candidates(plan, ask)
    scope = wanted[0] if len(wanted) == 1 else None
    closed = _doors(plan, ask, scope)
    if closed:
        return closed
    unknown = _code(ask, facts, scope)
    if unknown:
        return unknown
    ticket = facts.ticket
    assert ticket is not None  # _code refuses a scan without a ticket
    kind = plan.types_by_no.get(ticket.type_no)
    if ticket.state != "valid":
        return say(_STATES.get(ticket.state, "blocked"), ask, scope, name=ticket.name)
    if len(wanted) > 1:
        area = plan.areas[wanted[0].area_id]
        choices = tuple(item.session_id for item in wanted if item.session_id)
        return say("choose_session", ask, None, choices, area=area.name)
    if scope is None or kind is None:
        return _wrong_area(plan, ask, kind, ticket, scope)
    rule = plan.rule(scope, kind, ticket.access_class)
    if rule is not None and not rule.allowed:
        return _wrong_area(plan, ask, kind, ticket, scope)
    return (
        _window(plan, ask, ticket, scope, rule)
        or _registration(ask, ticket, scope)
        or presence.enter(plan, ask, facts, ticket, scope, rule)
    )


def _exit(plan: Plan, ask: Ask, facts: ScanFacts) -> Decision:
    """An exit: never refused for the ticket's state, its window or the doors."""
    wanted = candidates(plan, ask)
    unknown = _code(ask, facts, wanted[0] if wanted else None)
    if unknown:
        return unknown
    return presence.leave(plan, ask, facts, wanted)


def _doors(plan: Plan, ask: Ask, scope: ScopePlan | None) -> Decision | None:
    """Check 2: stop of admission, doors of the event and of the gate."""
    gate = ask.gate
    if gate is not None and gate.state in ("closed", "held"):
        instead = plan.gates.get(gate.use_instead_id) if gate.use_instead_id else None
        return say("doors_closed", ask, scope, gate=instead.name if instead else None)
    if plan.event.doors_state in ("closed", "held"):
        return say("doors_closed", ask, scope)
    return None


def _code(ask: Ask, facts: ScanFacts, scope: ScopePlan | None) -> Decision | None:
    """Checks 3 and 4: the code is known, genuine, current and of this event."""
    if ask.code_kind == "malformed":
        return say("malformed_code", ask, scope)
    if facts.ticket is None:
        if ask.code_kind == "own" and ask.forged():
            return say("forged_code", ask, scope)
        other = facts.other_event
        if other:
            return say(
                "other_event", ask, scope, event=other.title, when=ms(other.starts_at)
            )
        return say("unknown_code", ask, scope)
    if facts.code_state is not CodeState.LIVE and ask.direction == "in":
        return say(_CODE_STATES[facts.code_state], ask, scope)
    return None


def _wrong_area(
    plan: Plan,
    ask: Ask,
    kind: TypePlan | None,
    ticket: TicketEntry,
    scope: ScopePlan | None,
) -> Decision:
    area_id = scope.area_id if scope else ask.gate.area_id if ask.gate else None
    area = plan.areas.get(area_id) if area_id else None
    right = plan.gates_for(kind, ticket.access_class) if kind else []
    names = ", ".join(gate.name for gate in right[:3])
    return say(
        "wrong_area",
        ask,
        scope,
        type=kind.name if kind else None,
        area=area.name if area else None,
        gate=names or None,
    )


def _window(
    plan: Plan,
    ask: Ask,
    ticket: TicketEntry,
    scope: ScopePlan,
    rule: AccessRule | None,
) -> Decision | None:
    """Check 8: the latest opening and the earliest closing of all that apply."""
    opens = [scope.opens_at, rule.opens_at if rule else None]
    closes = [scope.closes_at, rule.closes_at if rule else None]
    if scope.kind == "venue":
        opens.append(plan.event.admission_opens_at)
        closes.append(plan.event.admission_closes_at)
    if ticket.valid_from_ms:
        opens.append(from_ms(ticket.valid_from_ms))
    if ticket.valid_to_ms:
        closes.append(from_ms(ticket.valid_to_ms))
    start = max((at for at in opens if at), default=None)
    end = min((at for at in closes if at), default=None)
    if start and ask.at < start:
        return say("too_early", ask, scope, when=ms(start))
    if end and ask.at >= end:
        return say("too_late", ask, scope, when=ms(end))
    return None


def _registration(ask: Ask, ticket: TicketEntry, scope: ScopePlan) -> Decision | None:
    """Check 10: sessions for registered people only (crew takes no seat)."""
    if scope.door_mode != "registered" or ticket.access_class != "guest":
        return None
    if scope.no in ticket.registered:
        return None
    return say("not_registered", ask, scope, name=ticket.name, session=scope.name)


def _override(plan: Plan, ask: Ask, facts: ScanFacts, decision: Decision) -> Decision:
    """A supervisor's act. Never for forged codes, other events, age or a stop."""
    needed = _CLEARED_BY.get(REASONS[decision.reason].clear_by)
    ticket, scope = facts.ticket, decision.scope
    if needed is None or ticket is None or scope is None or ask.direction == "out":
        return decision
    if _rank(facts) < max(needed, _RANKS["supervisor"]):
        return say("needs_supervisor", ask, scope)
    ordered = sorted(
        range(1, ticket.admits + 1),
        key=lambda person: bool(
            (visit := facts.visit(scope.no, person)) and visit.inside
        ),
    )
    persons = ordered[: ask.scan.admit or 1]
    admitted = presence.admit(plan, ask, facts, scope, persons, again=False)
    if admitted.verdict != "admitted":
        return admitted  # an outer place must be entered first
    return msgspec.structs.replace(admitted, overridden=decision.reason)


def _rank(facts: ScanFacts) -> int:
    """The rank of the operator at the device; 0 for nobody."""
    return _RANKS.get(facts.device.operator_role, 0) if facts.device else 0


def full(ask: Ask, decision: Decision, plan: Plan, fits: int) -> Decision:
    """The same scan after the counters of PostgreSQL found no place for it."""
    scope = decision.scope
    assert scope is not None  # only an entry can be full
    area = plan.areas[scope.area_id]
    overflow = plan.areas.get(area.overflow_area_id) if area.overflow_area_id else None
    return say(
        "area_full",
        ask,
        scope,
        area=scope.name if scope.session_id else area.name,
        overflow=overflow.name if overflow else None,
        fits=fits,
    )
