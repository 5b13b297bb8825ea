"""The rule engine: what a scan means, decided from facts. Here a scan is decided.

The order of the checks is door.md's, top to bottom in `_entry`; the first that does
not hold gives the reason. Pure: no store, no clock, no text for people (a decision
carries a reason and arguments; the sentence is made by `ops.checkin.answers`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from ops.admission.plan import AccessRule, GatePlan, Plan, ScopePlan, TypePlan
from ops.admission.scan import Direction, ScanRequest
from ops.admission.scan_facts import Args, ScanFacts
from ops.admission.verdicts import REASONS, Verdict, verdict_of
from ops.cache.entry import CodeState, TicketEntry, Visit, from_ms, ms

JUST_NOW = timedelta(seconds=10)
"""The same device reading the same code again is one scan for a steward (door.md)."""

COUNT_ONE = frozenset({"turnstile", "kiosk"})
"""Profiles that take one person a scan: nobody is there to say how many."""

CodeKind = Literal["own", "foreign", "malformed", "ticket"]

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


class Ask(msgspec.Struct, frozen=True):
    """A scan with what the server knows of it before any store is asked.

    `at` is the time that windows are held against: now, or the door's time for an
    upload or a dry run. `forged` verifies the signature of one of our own codes; it is
    called only if no ticket has this code.
    """

    scan: ScanRequest
    device_id: UUID
    direction: Direction
    gate: GatePlan | None
    at: datetime
    code_kind: CodeKind
    forged: Callable[[], bool]
    profile: str = "scan"


class Open(msgspec.Struct, frozen=True, gc=False):
    """A visit to be written: one person enters one scope with this pass."""

    scope: ScopePlan
    person_no: int
    pass_no: int
    undone: int
    primary: bool


class Close(msgspec.Struct, frozen=True, gc=False):
    """A presence to be ended; `must`: the decision stands only if it was there."""

    scope: ScopePlan
    person_no: int
    must: bool
    assumed: bool


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict, its reason, the arguments of its sentence and the rows to write."""

    verdict: Verdict
    reason: str
    args: Args = {}
    scope: ScopePlan | None = None
    opens: tuple[Open, ...] = ()
    closes: tuple[Close, ...] = ()
    people: int = 0
    just_now: bool = False
    choices: tuple[int, ...] | tuple[UUID, ...] = ()
    overridden: str = ""
    """The reason that a supervisor set aside."""

    @property
    def writes(self) -> bool:
        """Whether the decision changes who is inside."""
        return bool(self.opens or self.closes)

    @property
    def pass_no(self) -> int | None:
        """The pass of the first person admitted."""
        return next((item.pass_no for item in self.opens if item.primary), None)


def candidates(plan: Plan, ask: Ask) -> list[ScopePlan]:
    """The scopes a scan may mean: one, or several when a person must choose.

    An explicit session wins, then an explicit area, then the gate's session, then the
    gate's area: a room used by sessions means the one whose window is open.
    """
    session_id = ask.scan.session_id
    area_id = ask.scan.area_id
    if session_id is None and area_id is None and ask.gate is not None:
        session_id, area_id = ask.gate.session_id, ask.gate.area_id
    if session_id is not None:
        scope = plan.scope_of_session.get(session_id)
        return [scope] if scope else []
    if area_id is None:
        return []
    sessions = plan.sessions_in(area_id)
    own = plan.own_scope(area_id)
    if ask.direction == "out":
        return ([own] if own else []) + sessions
    open_now = [scope for scope in sessions if _is_open(scope, ask.at)]
    if open_now:
        return open_now
    if own:
        return [own]
    return _nearest(sessions, ask.at)


def reads(plan: Plan, ask: Ask) -> tuple[ScopePlan, ...]:
    """The scopes whose visits the decision will look at."""
    wanted = candidates(plan, ask)
    if ask.direction == "out" or len(wanted) != 1:
        return tuple(wanted)
    return (wanted[0], *plan.above(wanted[0]))


def decide(plan: Plan, ask: Ask, facts: ScanFacts) -> Decision:
    """Decide one scan. The order of the checks is door.md's."""
    decision = _exit(plan, ask, facts) if ask.direction == "out" else None
    if decision is None:
        decision = _entry(plan, ask, facts)
    if ask.scan.override and decision.verdict in ("hold", "refused"):
        return _override(plan, ask, facts, decision)
    return decision


def _say(
    reason: str,
    ask: Ask,
    scope: ScopePlan | None = None,
    choices: tuple[int, ...] | tuple[UUID, ...] = (),
    **args: str | int | bool | None,
) -> Decision:
    return Decision(
        verdict=verdict_of(reason, ask.direction),
        reason=reason,
        scope=scope,
        choices=choices,
        args={name: value for name, value in args.items() if value is not None},
    )


def _entry(plan: Plan, ask: Ask, facts: ScanFacts) -> Decision:
    wanted = candidates(plan, ask)
    scope = wanted[0] if len(wanted) == 1 else None
    closed = _doors(plan, ask)
    if closed:
        return closed
    unknown = _code(ask, facts, scope)
    if unknown:
        return unknown
    ticket = facts.ticket
    assert ticket is not None  # _code refuses a scan without a ticket
    kind = plan.types_by_no.get(ticket.type_no)
    if ticket.state != "valid":
        return _say(_STATES.get(ticket.state, "blocked"), ask, scope, name=ticket.name)
    if len(wanted) > 1:
        area = plan.areas[wanted[0].area_id]
        choices = tuple(item.session_id for item in wanted if item.session_id)
        return _say("choose_session", ask, None, choices, area=area.name)
    if scope is None or kind is None:
        return _wrong_area(plan, ask, kind, ticket, scope)
    rule = plan.rule(scope, kind, ticket.access_class)
    if rule is not None and not rule.allowed:
        return _wrong_area(plan, ask, kind, ticket, scope)
    return (
        _window(plan, ask, ticket, scope, rule)
        or _registration(ask, ticket, scope)
        or _presence(plan, ask, facts, ticket, scope, rule)
    )


def _doors(plan: Plan, ask: Ask) -> Decision | None:
    """Check 2: stop of admission, doors of the event and of the gate."""
    gate = ask.gate
    if gate is not None and gate.state in ("closed", "held"):
        instead = plan.gates.get(gate.use_instead_id) if gate.use_instead_id else None
        return _say("doors_closed", ask, gate=instead.name if instead else None)
    if plan.event.doors_state in ("closed", "held"):
        return _say("doors_closed", ask)
    return None


def _code(ask: Ask, facts: ScanFacts, scope: ScopePlan | None) -> Decision | None:
    """Checks 3 and 4: the code is known, genuine, current and of this event."""
    if ask.code_kind == "malformed":
        return _say("malformed_code", ask, scope)
    if facts.ticket is None:
        if ask.code_kind == "own" and ask.forged():
            return _say("forged_code", ask, scope)
        other = facts.other_event
        if other:
            return _say(
                "other_event", ask, scope, event=other.title, when=ms(other.starts_at)
            )
        return _say("unknown_code", ask, scope)
    if facts.code_state is not CodeState.LIVE and ask.direction == "in":
        return _say(_CODE_STATES[facts.code_state], ask, scope)
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
    return _say(
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
        return _say("too_early", ask, scope, when=ms(start))
    if end and ask.at >= end:
        return _say("too_late", ask, scope, when=ms(end))
    return None


def _registration(ask: Ask, ticket: TicketEntry, scope: ScopePlan) -> Decision | None:
    """Check 10: sessions for registered people only (crew takes no seat)."""
    if scope.door_mode != "registered" or ticket.access_class != "guest":
        return None
    if scope.no in ticket.registered:
        return None
    return _say("not_registered", ask, scope, name=ticket.name, session=scope.name)


def _presence(
    plan: Plan,
    ask: Ask,
    facts: ScanFacts,
    ticket: TicketEntry,
    scope: ScopePlan,
    rule: AccessRule | None,
) -> Decision:
    """Checks 11 and 12: presence, passes, re-entry, then the number of people."""
    re_entry = (rule.re_entry if rule else None) or scope.re_entry
    limit = (rule.passes_total if rule else None) or scope.passes_total
    outside: list[int] = []
    inside: list[Visit] = []
    spent: list[Visit] = []
    for person in range(1, ticket.admits + 1):
        visit = facts.visit(scope.no, person)
        if visit is None or (not visit.inside and visit.used == 0):
            outside.append(person)
        elif visit.inside:
            inside.append(visit)
        elif re_entry == "never" or (limit and visit.used >= limit):
            spent.append(visit)
        else:
            outside.append(person)
    again = not outside
    if again:
        refusal = _no_place(plan, ask, facts, scope, inside, spent, re_entry, limit)
        if refusal:
            return refusal
        outside = [
            person
            for person in range(1, ticket.admits + 1)
            if (visit := facts.visit(scope.no, person)) and visit.inside
        ]
    count = _count(ask, ticket, len(outside))
    if count is None:
        choices = tuple(range(1, len(outside) + 1))
        return _say("needs_count", ask, scope, choices, free=len(outside))
    return _admit(plan, ask, facts, scope, outside[:count], again)


def _no_place(
    plan: Plan,
    ask: Ask,
    facts: ScanFacts,
    scope: ScopePlan,
    inside: list[Visit],
    spent: list[Visit],
    re_entry: str,
    limit: int | None,
) -> Decision | None:
    """Why nobody of this ticket may enter; exactly one of door.md's four applies.

    None: everybody is inside and a repeat is welcome (`re_entry` always).
    """
    left = re_entry == "always" and not (
        limit and all(visit.used >= limit for visit in inside)
    )
    if inside:
        last = max(inside, key=lambda visit: visit.entered_ms)
        if _just_now(ask, facts, last):
            told = _told(plan, ask, facts, "already_inside", scope, last)
            return msgspec.structs.replace(told, just_now=True)
        if left:
            return None
        if not last.confirmed:
            return _told(plan, ask, facts, "unconfirmed", scope, last)
        if re_entry == "always" and limit and limit > 1:
            return _say("passes_used", ask, scope, total=limit)
        reason = "already_inside" if scope.tracks_exits else "already_used"
        return _told(plan, ask, facts, reason, scope, last)
    last = max(spent, key=lambda visit: visit.left_ms)
    if not scope.tracks_exits and (re_entry == "never" or limit == 1):
        return _told(plan, ask, facts, "already_used", scope, last)
    if re_entry == "never" or limit == 1:
        return _say("re_entry_not_allowed", ask, scope, since=last.left_ms)
    return _say("passes_used", ask, scope, total=limit)


def _just_now(ask: Ask, facts: ScanFacts, last: Visit) -> bool:
    """This device admitted the code a moment ago: one scan for a steward."""
    own = facts.device is not None and last.device_no == facts.device.no
    return own and from_ms(last.entered_ms) > ask.at - JUST_NOW


def _told(
    plan: Plan, ask: Ask, facts: ScanFacts, reason: str, scope: ScopePlan, visit: Visit
) -> Decision:
    gate = plan.gates_by_no.get(visit.gate_no)
    return _say(
        reason,
        ask,
        scope,
        since=visit.entered_ms,
        gate=gate.name if gate else None,
        device=facts.device_names.get(visit.device_no),
        previous=str(UUID(bytes=visit.scan_id)),
    )


def _count(ask: Ask, ticket: TicketEntry, free: int) -> int | None:
    """How many enter now; None asks the steward."""
    if ticket.admits == 1 or (free == 1 and ask.scan.admit is None):
        return 1
    if ask.scan.admit is not None:
        return ask.scan.admit if ask.scan.admit <= free else None
    return 1 if ask.profile in COUNT_ONE else None


def _admit(
    plan: Plan,
    ask: Ask,
    facts: ScanFacts,
    scope: ScopePlan,
    persons: list[int],
    again: bool,
) -> Decision:
    """The rows of an entry: the scope, what encloses it, what it excludes."""
    ticket = facts.ticket
    assert ticket is not None
    opens: list[Open] = []
    closes: list[Close] = []
    for person in persons:
        visit = facts.visit(scope.no, person)
        if visit is not None and visit.inside:
            closes.append(Close(scope, person, must=True, assumed=True))
        opens.append(_next_pass(scope, person, visit, primary=True))
        inner = scope
        for outer in plan.above(scope):
            around = facts.visit(outer.no, person)
            if around is not None and around.inside:
                break
            if inner.enter_outer == "require":
                names = [
                    gate.name
                    for gate in plan.gates.values()
                    if gate.area_id == outer.area_id
                ]
                ways = ", ".join(names[:3]) or None
                return _say("wrong_area", ask, scope, area=scope.name, gate=ways)
            if inner.enter_outer != "enter":
                break
            opens.append(_next_pass(outer, person, around, primary=False))
            inner = outer
        closes += [
            Close(other, person, must=False, assumed=True)
            for other in plan.siblings(scope)
        ]
    return Decision(
        verdict="admitted",
        reason="welcome_back" if again else "ok",
        scope=scope,
        opens=tuple(opens),
        closes=tuple(closes),
        people=len(persons),
        args={"name": ticket.name},
    )


def _next_pass(
    scope: ScopePlan, person: int, visit: Visit | None, *, primary: bool
) -> Open:
    pass_no, undone = (visit.pass_no, visit.undone) if visit else (0, 0)
    return Open(scope, person, pass_no + 1, undone, primary)


def _exit(plan: Plan, ask: Ask, facts: ScanFacts) -> Decision:
    """An exit: never refused for the ticket's state, its window or the doors."""
    wanted = candidates(plan, ask)
    unknown = _code(ask, facts, wanted[0] if wanted else None)
    if unknown:
        return unknown
    ticket = facts.ticket
    assert ticket is not None
    for scope in wanted:
        present = [
            person
            for person in range(1, ticket.admits + 1)
            if (visit := facts.visit(scope.no, person)) and visit.inside
        ]
        if not present:
            continue
        count = _count(ask, ticket, len(present))
        if count is None:
            choices = tuple(range(1, len(present) + 1))
            return _say("needs_count", ask, scope, choices, free=len(present))
        closes = []
        for person in present[:count]:
            closes.append(Close(scope, person, must=True, assumed=False))
            closes += [
                Close(inner, person, must=False, assumed=True)
                for inner in plan.below(scope)
            ]
        return Decision(
            verdict="exited",
            reason="ok",
            scope=scope,
            closes=tuple(closes),
            people=count,
            args={"name": ticket.name},
        )
    return Decision(
        verdict="exited",
        reason="not_inside",
        scope=wanted[0] if wanted else None,
        args={"name": ticket.name},
    )


def _override(plan: Plan, ask: Ask, facts: ScanFacts, decision: Decision) -> Decision:
    """A supervisor's act. Never for forged codes, other events, age or a stop."""
    role = facts.device.operator_role if facts.device else ""
    needed = _CLEARED_BY.get(REASONS[decision.reason].clear_by)
    ticket, scope = facts.ticket, decision.scope
    if needed is None or ticket is None or scope is None or ask.direction == "out":
        return decision
    if _RANKS.get(role, 0) < max(needed, _RANKS["supervisor"]):
        return _say("needs_supervisor", ask, scope)
    ordered = sorted(
        range(1, ticket.admits + 1),
        key=lambda person: bool(
            (visit := facts.visit(scope.no, person)) and visit.inside
        ),
    )
    persons = ordered[: ask.scan.admit or 1]
    admitted = _admit(plan, ask, facts, scope, persons, again=False)
    return msgspec.structs.replace(admitted, overridden=decision.reason)


def full(ask: Ask, decision: Decision, plan: Plan, fits: int) -> Decision:
    """The same scan after the counters of PostgreSQL found no place for it."""
    scope = decision.scope
    assert scope is not None  # only an entry can be full
    area = plan.areas[scope.area_id]
    overflow = plan.areas.get(area.overflow_area_id) if area.overflow_area_id else None
    return _say(
        "area_full",
        ask,
        scope,
        area=scope.name if scope.session_id else area.name,
        overflow=overflow.name if overflow else None,
        fits=fits,
    )


def _is_open(scope: ScopePlan, at: datetime) -> bool:
    return (scope.opens_at is None or scope.opens_at <= at) and (
        scope.closes_at is None or at < scope.closes_at
    )


def _nearest(sessions: list[ScopePlan], at: datetime) -> list[ScopePlan]:
    """With no open session, the one that opens next, else the one that closed last."""
    coming = [scope for scope in sessions if scope.opens_at and scope.opens_at > at]
    if coming:
        return [min(coming, key=lambda scope: scope.opens_at or at)]
    gone = [scope for scope in sessions if scope.closes_at]
    return [max(gone, key=lambda scope: scope.closes_at or at)] if gone else []
