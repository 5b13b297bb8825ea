"""Check 11: who of a ticket is inside, outside or spent, and the rows to write. Pure.

A group ticket of n has n places; an entry takes some, an exit frees them. What a place
is follows from its newest visit, the scope's re-entry rule and the limit of passes.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from ops.admission.ask import Ask
from ops.admission.outcome import Close, Decision, Open, say
from ops.admission.plan import AccessRule, Plan, ScopePlan
from ops.admission.scan_facts import ScanFacts
from ops.cache.entry import TicketEntry, Visit, from_ms

JUST_NOW = timedelta(seconds=10)
"""The same device reading the same code again is one scan for a steward (door.md)."""

COUNT_ONE = frozenset({"turnstile", "kiosk"})
"""Profiles that take one person a scan: nobody is there to say how many."""


def enter(
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
        return say("needs_count", ask, scope, choices, free=len(outside))
    return admit(plan, ask, facts, scope, outside[:count], again)


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
            return say("passes_used", ask, scope, total=limit)
        reason = "already_inside" if scope.tracks_exits else "already_used"
        return _told(plan, ask, facts, reason, scope, last)
    last = max(spent, key=lambda visit: visit.left_ms)
    if not scope.tracks_exits and (re_entry == "never" or limit == 1):
        return _told(plan, ask, facts, "already_used", scope, last)
    if re_entry == "never" or limit == 1:
        return say("re_entry_not_allowed", ask, scope, since=last.left_ms)
    return say("passes_used", ask, scope, total=limit)


def _just_now(ask: Ask, facts: ScanFacts, last: Visit) -> bool:
    """This device admitted the code a moment ago: one scan for a steward."""
    own = facts.device is not None and last.device_no == facts.device.no
    return own and from_ms(last.entered_ms) > ask.at - JUST_NOW


def _told(
    plan: Plan, ask: Ask, facts: ScanFacts, reason: str, scope: ScopePlan, visit: Visit
) -> Decision:
    gate = plan.gates_by_no.get(visit.gate_no)
    return say(
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


def admit(
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
                return say("wrong_area", ask, scope, area=scope.name, gate=ways)
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


def leave(plan: Plan, ask: Ask, facts: ScanFacts, wanted: list[ScopePlan]) -> Decision:
    """An exit: ends the presence in the first of these scopes that has one."""
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
            return say("needs_count", ask, scope, choices, free=len(present))
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
