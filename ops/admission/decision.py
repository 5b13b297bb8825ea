"""The rule engine: what a scan means, decided from facts. Here a scan is decided.

`ENTRY` is the one table of rules: the checks in door.md's order, top to bottom; the
first that does not hold gives the reason. `decide` stops there, `simulate` goes on to
the end, so both say the same. Pure: no store, no clock, no text for people (a decision
carries a reason and arguments; `ops.checkin.answers` makes the sentence).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

import msgspec

from ops.admission import checks, presence
from ops.admission.ask import Ask
from ops.admission.outcome import Count, Decision, say
from ops.admission.plan import Plan
from ops.admission.scan_facts import ScanFacts
from ops.admission.taking_over import take_over
from ops.admission.verdicts import REASONS
from ops.admission.weighing import Weighing, weighing
from ops.cache.entry import Visit

_RANKS = {"steward": 1, "supervisor": 2, "door_manager": 3, "event_manager": 4}
_CLEARED_BY = {"steward": 1, "supervisor": 2, "event_manager": 4}
_NOBODYS = frozenset({"unknown_code", "malformed_code", "unassigned_medium"})
"""Reasons without a ticket; overriding one admits and counts a person without."""


class Check(NamedTuple):
    """A check; `after`: what the ones before must have found for it to be asked."""

    name: str
    after: str
    holds: Callable[[Weighing], Decision | None]


ENTRY = (
    Check("stop", "", checks.stopped),
    Check("doors", "", checks.doors),
    Check("code", "", checks.genuine),
    Check("event", "", checks.of_this_event),
    Check("state", "ticket", checks.state),
    Check("ban", "ticket", checks.ban),
    Check("area", "ticket", checks.area),
    Check("window", "terms", checks.window),
    Check("age", "terms", checks.age),
    Check("registration", "terms", checks.registration),
    Check("presence", "terms", presence.present),
    Check("limits", "places", checks.limits),
    Check("payment", "places", checks.payment),
    Check("people", "places", checks.people),
    Check("questions", "places", checks.questions),
)
"""An entry. Replay, the first check of door.md, is the batch's: it needs no rule."""

EXIT = (
    Check("code", "", checks.genuine),
    Check("event", "", checks.of_this_event),
    Check("presence", "ticket", presence.leaving),
)
"""An exit: never refused for the ticket's state, its window, a stop or the doors."""


class Checked(NamedTuple):
    """A check of a simulation; `reached` False: an earlier one left nothing to ask."""

    name: str
    reached: bool
    failed: Decision | None


def decide(plan: Plan, ask: Ask, facts: ScanFacts) -> Decision:
    """Decide one scan: the first check that does not hold, or what follows from all."""
    w = weighing(plan, ask, facts)
    decision = _first(w)
    if ask.scan.take_over is not None:
        decision = take_over(w, decision, _rank(facts))
    if ask.scan.override:
        decision = _override(w, decision)
    return decision


def simulate(plan: Plan, ask: Ask, facts: ScanFacts) -> tuple[list[Checked], Decision]:
    """Every check in order, and the decision that `decide` makes of the same."""
    w = weighing(plan, ask, facts)
    checked = []
    for check in _table(ask):
        reached = _reached(w, check)
        checked.append(
            Checked(check.name, reached, check.holds(w) if reached else None)
        )
    return checked, decide(plan, ask, facts)


def _first(w: Weighing) -> Decision:
    for check in _table(w.ask):
        found = check.holds(w)
        if found is not None:
            return found
    return _through(w)


def _table(ask: Ask) -> tuple[Check, ...]:
    return EXIT if ask.direction == "out" else ENTRY


def _reached(w: Weighing, check: Check) -> bool:
    match check.after:
        case "ticket":
            return w.ticket is not None
        case "terms":
            return w.terms is not None
        case "places":
            return bool(w.free)
    return True


def _through(w: Weighing) -> Decision:
    """Every check holds: the rows to write."""
    if w.ask.direction == "out":
        return presence.leave(w.plan, w.ask, w.facts, w.wanted)
    assert w.scope is not None
    decision = presence.admit(w.plan, w.ask, w.facts, w.scope, w.persons, w.again)
    return msgspec.structs.replace(decision, given=w.given) if w.given else decision


def _override(w: Weighing, decision: Decision) -> Decision:
    """A supervisor's act. Never for forged codes, other events, age or a stop."""
    rank = _rank(w.facts)
    if decision.verdict in ("hold", "refused") and w.ask.direction == "in":
        needed = _CLEARED_BY.get(REASONS[decision.reason].clear_by)
        if needed is None:
            return decision
        # Whether a place is full is for the commit to say: facts of the cache cannot.
        full_place = decision.reason == "area_full"
        if rank < max(needed, _RANKS["supervisor"]):
            return decision if full_place else say("needs_supervisor", w.ask, w.scope)
        persons = _persons(w)
        against = presence.in_the_way(w, persons)
        if (told := _since(w, decision, against)) is not None:
            return told
        decision = _act(w, decision, persons, "" if full_place else decision.reason)
        if decision.overridden and against is not None:
            scan = str(UUID(bytes=against.scan_id))
            decision = msgspec.structs.replace(decision, against=scan)
    if decision.verdict == "admitted" and rank >= _RANKS["event_manager"]:
        decision = msgspec.structs.replace(decision, past_limits=True)
    return decision


def _since(w: Weighing, decision: Decision, against: Visit | None) -> Decision | None:
    """What came in the way since the screen said what the supervisor decided on.

    Two who let in one ticket at two doors let in one guest, and the second is told of
    the first: who, where and when. None: it is as it was, or nobody says what was seen.
    """
    override = w.ask.scan.override
    if override is None or override.saw in (None, "needs_supervisor"):
        return None
    if against is not None:
        if override.previous is None and override.saw in presence.IN_THE_WAY:
            return None
        same = override.previous == UUID(bytes=against.scan_id)
        return None if same else presence.told_of(w, against)
    return None if override.saw == decision.reason else decision


def _persons(w: Weighing) -> list[int]:
    """Who of a ticket goes in by a supervisor's act: those outside first."""
    if w.ticket is None or w.scope is None:
        return []
    no, facts = w.scope.no, w.facts
    ordered = sorted(
        range(1, w.ticket.admits + 1),
        key=lambda person: bool((at := facts.visit(no, person)) and at.inside),
    )
    return ordered[: w.ask.scan.admit or 1]


def _act(
    w: Weighing, decision: Decision, persons: list[int], overridden: str
) -> Decision:
    """The admission that a supervisor orders instead of this answer."""
    scope = w.scope
    if scope is None:
        return decision
    if w.ticket is None:
        if decision.reason not in _NOBODYS:
            return decision
        people = w.ask.scan.admit or 1
        return Decision(
            verdict="admitted",
            reason="ok",
            scope=scope,
            people=people,
            counted=Count(scope.area_id, people),
            overridden=overridden,
        )
    admitted = presence.admit(w.plan, w.ask, w.facts, scope, persons, again=False)
    if admitted.verdict != "admitted":
        return admitted  # an outer place must be entered first
    return msgspec.structs.replace(admitted, overridden=overridden)


def _rank(facts: ScanFacts) -> int:
    """The rank of the operator at the device; 0 for nobody."""
    return _RANKS.get(facts.device.operator_role, 0) if facts.device else 0


def full(ask: Ask, decision: Decision, plan: Plan, fits: int) -> Decision:
    """The same scan after the counters of PostgreSQL found no place for it."""
    assert decision.scope is not None  # only an entry can be full
    return checks.area_full(plan, ask, decision.scope, fits)
