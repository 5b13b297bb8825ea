"""Check 11: who of a ticket is inside, outside or spent, and the rows to write. Pure.

A group ticket of n has n places; an entry takes some, an exit frees them. What a place
is follows from its newest visit, the scope's re-entry rule and the limit of passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import msgspec

from ops.admission.ask import Ask
from ops.admission.outcome import Close, Decision, Open, say
from ops.admission.plan import Plan, ScopePlan
from ops.admission.scan_facts import ScanFacts
from ops.admission.terms import Terms
from ops.admission.weighing import Weighing
from ops.cache.entry import TicketEntry, Visit, from_ms, ms

JUST_NOW = timedelta(seconds=10)
"""The same device reading the same code again is one scan for a steward (door.md)."""

COUNT_ONE = frozenset({"turnstile", "kiosk"})
"""Profiles that take one person a scan: nobody is there to say how many."""


IN_THE_WAY = frozenset({"already_inside", "already_used", "unconfirmed"})
"""What one says of an admission that is in the way, before and after it was shown."""


class _Places(msgspec.Struct):
    """The places of a ticket at a scope, sorted by what they are."""

    free: list[int] = []
    inside: list[Visit] = []
    left: list[Visit] = []
    """Outside for good: the rule is never."""
    used_up: list[Visit] = []
    used_today: list[Visit] = []
    waiting: list[Visit] = []
    """Outside, and too soon after the last entry."""


def present(w: Weighing) -> Decision | None:
    """Check 11: somebody of the ticket may enter now; finds who (`w.free`)."""
    assert w.scope is not None
    assert w.ticket is not None
    assert w.terms is not None
    places = _sort(w, w.scope, w.ticket, w.terms)
    if places.free:
        w.free = [
            person
            for person in places.free
            if missing(w.plan, w.facts, w.scope, person) is None
        ]
        return None if w.free else outside(w.plan, w.ask, w.facts, w.scope, places.free)
    refusal = _no_place(w, w.terms, places)
    if refusal is None:
        w.again = True
        w.free = [
            person
            for person in range(1, w.ticket.admits + 1)
            if (visit := w.facts.visit(w.scope.no, person)) and visit.inside
        ]
    return refusal


def _sort(w: Weighing, scope: ScopePlan, ticket: TicketEntry, terms: Terms) -> _Places:
    places = _Places()
    for person in range(1, ticket.admits + 1):
        visit = w.facts.visit(scope.no, person)
        if visit is None or (not visit.inside and visit.used == 0):
            places.free.append(person)
        elif visit.inside or _was_inside(w, scope, person, terms):
            places.inside.append(visit)
        elif terms.re_entry == "never":
            places.left.append(visit)
        elif terms.passes_total and visit.used >= terms.passes_total:
            places.used_up.append(visit)
        elif _spent_today(w, terms, visit):
            places.used_today.append(visit)
        elif terms.gap and w.ask.at < from_ms(visit.entered_ms) + terms.gap:
            places.waiting.append(visit)
        else:
            places.free.append(person)
    return places


def _was_inside(w: Weighing, scope: ScopePlan, person: int, terms: Terms) -> bool:
    """An upload says that they came in while they were in, by the times of the doors.

    Where one may enter as often as one likes, that is no harm.
    """
    return (scope.no, person) in w.facts.covered and terms.re_entry != "always"


def _spent_today(w: Weighing, terms: Terms, visit: Visit) -> bool:
    limit = terms.passes_per_day
    if not limit or visit.day_used < limit:
        return False
    return visit.day == w.plan.days.number(w.ask.at)


def _no_place(w: Weighing, terms: Terms, places: _Places) -> Decision | None:
    """Why nobody of this ticket may enter; exactly one of door.md's four applies.

    None: everybody is inside and a repeat is welcome (`re_entry` always).
    """
    if places.inside:
        return _inside(w, terms, places.inside)
    for visits, limit, next_day in (
        (places.left, 1, False),
        (places.used_up, terms.passes_total, False),
        (places.used_today, terms.passes_per_day, True),
    ):
        if visits:
            return _spent(w, visits, limit, next_day=next_day)
    assert terms.gap
    first = min(visit.entered_ms for visit in places.waiting)
    return w.say("too_early", when=ms(from_ms(first) + terms.gap), gap=True)


def _inside(w: Weighing, terms: Terms, inside: list[Visit]) -> Decision | None:
    assert w.scope is not None
    last = max(inside, key=lambda visit: visit.entered_ms)
    if _just_now(w.ask, w.facts, last):
        told = _told(w, "already_inside", last)
        return msgspec.structs.replace(told, just_now=True)
    always = terms.re_entry == "always"
    total, today = terms.passes_total, terms.passes_per_day
    over = bool(total) and all(visit.used >= (total or 0) for visit in inside)
    over_today = all(_spent_today(w, terms, visit) for visit in inside)
    back = terms.anti_passback
    passed_back = back and w.ask.at < from_ms(last.entered_ms) + back
    if always and not (over or over_today or passed_back):
        return None
    if not last.confirmed:
        return _told(w, "unconfirmed", last)
    if always and over and total != 1:
        return w.say("passes_used", total=total)
    if always and over_today and today != 1:
        return w.say("passes_used", total=today, when=_next_day(w))
    when = _next_day(w) if always and over_today and not over else None
    reason = "already_inside" if w.scope.tracks_exits or passed_back else "already_used"
    return _told(w, reason, last, when=when)


def _spent(
    w: Weighing, visits: list[Visit], limit: int | None, *, next_day: bool
) -> Decision:
    """Somebody who left and may not come back, at all or today."""
    assert w.scope is not None
    last = max(visits, key=lambda visit: visit.left_ms)
    when = _next_day(w) if next_day else None
    if limit != 1:
        return w.say("passes_used", total=limit, when=when)
    if not w.scope.tracks_exits:
        return _told(w, "already_used", last, when=when)
    return w.say("re_entry_not_allowed", since=last.left_ms, when=when)


def _next_day(w: Weighing) -> int:
    """When the next event day begins."""
    return ms(w.plan.days.begins(w.plan.days.number(w.ask.at) + 1))


def _just_now(ask: Ask, facts: ScanFacts, last: Visit) -> bool:
    """This device admitted the code a moment ago: one scan for a steward."""
    own = facts.device is not None and last.device_no == facts.device.no
    return own and from_ms(last.entered_ms) > ask.at - JUST_NOW


def in_the_way(w: Weighing, persons: list[int]) -> Visit | None:
    """The newest presence that an entry of these people would end."""
    if w.scope is None:
        return None
    visits = [w.facts.visit(w.scope.no, person) for person in persons]
    inside = [visit for visit in visits if visit is not None and visit.inside]
    return max(inside, key=lambda visit: visit.entered_ms, default=None)


def told_of(w: Weighing, visit: Visit) -> Decision:
    """That somebody is in by this visit: amber until its green was shown."""
    assert w.scope is not None
    red = "already_inside" if w.scope.tracks_exits else "already_used"
    return _told(w, red if visit.confirmed else "unconfirmed", visit)


def _told(w: Weighing, reason: str, visit: Visit, when: int | None = None) -> Decision:
    gate = w.plan.gates_by_no.get(visit.gate_no)
    return w.say(
        reason,
        since=visit.entered_ms,
        gate=gate.name if gate else None,
        device=w.facts.device_names.get(visit.device_no),
        operator=w.facts.operators.get(visit.scan_id),
        previous=str(UUID(bytes=visit.scan_id)),
        when=when,
    )


def how_many(ask: Ask, admits: int, free: int) -> int | None:
    """How many go through now; None asks the steward."""
    if admits == 1 or (free == 1 and ask.scan.admit is None):
        return 1
    if ask.scan.admit is not None:
        return ask.scan.admit if ask.scan.admit <= free else None
    if ask.scan.whole_order:
        return free
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
    day = plan.days.number(ask.at)
    for person in persons:
        if missing(plan, facts, scope, person):
            return outside(plan, ask, facts, scope, [person])
        visit = facts.visit(scope.no, person)
        if visit is not None and visit.inside:
            closes.append(Close(scope, person, must=True, assumed=True))
        opens.append(
            _next_pass(scope, person, visit, day, primary=True, past=facts.later)
        )
        for outer in _entered_too(plan, facts, scope, person):
            around = facts.visit(outer.no, person)
            opens.append(
                _next_pass(outer, person, around, day, primary=False, past=facts.later)
            )
        closes += [
            Close(other, person, must=False, assumed=True)
            for other in plan.siblings(scope)
            if not facts.later
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


def _entered_too(
    plan: Plan, facts: ScanFacts, scope: ScopePlan, person: int
) -> Iterator[ScopePlan]:
    """The scopes around this one that an entry enters as well."""
    inner = scope
    for outer in plan.above(scope):
        around = facts.visit(outer.no, person)
        if (around is not None and around.inside) or inner.enter_outer != "enter":
            return
        yield outer
        inner = outer


def missing(
    plan: Plan, facts: ScanFacts, scope: ScopePlan, person: int
) -> ScopePlan | None:
    """The scope around this one that a person must have entered before, and has not."""
    inner = scope
    for outer in plan.above(scope):
        around = facts.visit(outer.no, person)
        if (around is not None and around.inside) or inner.enter_outer == "ignore":
            return None
        if inner.enter_outer == "require":
            return outer
        inner = outer
    return None


def outside(
    plan: Plan, ask: Ask, facts: ScanFacts, scope: ScopePlan, persons: list[int]
) -> Decision:
    """They stand outside of what encloses this place: the gates that lead there."""
    outer = missing(plan, facts, scope, persons[0])
    assert outer is not None
    gates = [gate.name for gate in plan.gates.values() if gate.area_id == outer.area_id]
    ways = ", ".join(gates[:3]) or None
    return say("wrong_area", ask, scope, area=scope.name, gate=ways)


def _next_pass(
    scope: ScopePlan,
    person: int,
    visit: Visit | None,
    day: int,
    *,
    primary: bool,
    past: bool,
) -> Open:
    """The next pass. An upload of an older day does not count for a later one."""
    pass_no, undone = (visit.pass_no, visit.undone) if visit else (0, 0)
    before_day, before = (visit.day, visit.day_used) if visit else (0, 0)
    if before_day < day:
        counted = (day, 1)
    else:
        counted = (before_day, before + (before_day == day))
    return Open(scope, person, pass_no + 1, undone, primary, day, *counted, past)


def leaving(w: Weighing) -> Decision | None:
    """The exit's own check: somebody of the ticket is inside, and how many go."""
    decision = leave(w.plan, w.ask, w.facts, w.wanted)
    return None if decision.writes else decision


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
        if not present or facts.later:
            continue
        count = how_many(ask, ticket.admits, len(present))
        if count is None:
            choices = tuple(range(1, len(present) + 1))
            return say(
                "needs_count", ask, scope, choices, free=len(present), leaving=True
            )
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
