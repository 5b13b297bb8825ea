"""What Redis is asked to take for a batch in mode D, and its reply. Pure."""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Any
from uuid import UUID

from ops.admission.commands import ClaimReply, Item
from ops.admission.commit import limits
from ops.admission.finish import CacheVisit, cache_visit
from ops.admission.outcome import Close, Decision, Open
from ops.admission.plan import AreaPlan, Plan
from ops.admission.scan_facts import ScanFacts
from ops.cache.entry import Phase, Visit, ms, pack_visit, visit_key
from ops.cache.keys import LAYOUT_VERSION

Args = list[bytes | str | int]

_LEFT = struct.Struct(">QI")
_VERSION = struct.Struct(">I")
_LOST = -1


def arguments(
    echo: bytes, epoch: int, plan: Plan, items: list[Item], now: datetime
) -> Args:
    """ARGV of `claim.lua`."""
    args: Args = [echo, LAYOUT_VERSION, epoch, len(items)]
    for item in items:
        args += _scan(plan, item, now)
    return args


def parse(echo: bytes, reply: list[Any]) -> ClaimReply | str:
    """Decode the reply.

    Raises:
        ValueError: the reply belongs to another call.
    """
    if reply[0] != echo:
        raise ValueError("the cache answered another call")
    if reply[1] != b"ok":
        return str(reply[1].decode())
    taken: list[int | None] = []
    for said in reply[2]:
        if said == b"ok":
            taken.append(None)
        else:
            taken.append(_LOST if said == b"lost" else int(said))
    return ClaimReply(taken)


def _scan(plan: Plan, item: Item, now: datetime) -> Args:
    decision, facts = item.decision, item.facts
    assert decision is not None
    assert facts is not None
    assert facts.ticket is not None
    assert facts.ticket_id is not None
    needs = limits(plan, decision)
    args: Args = [
        item.ask.scan.id.bytes,
        facts.ticket_id.bytes,
        _VERSION.pack(facts.ticket.version & 0xFFFFFFFF),
        len(needs),
        len(decision.closes),
        len(decision.opens),
    ]
    kind = plan.types_by_no.get(facts.ticket.type_no)
    for place, people in needs.items():
        # All that is kept for others counts as taken: who of them is in already only
        # PostgreSQL can count.
        kept = plan.kept_places(place, kind, facts.ticket.access_class, item.ask.at)
        args += _limit(plan, place, people, kept)
    gate_no = item.ask.gate.no if item.ask.gate else 0
    for closed in decision.closes:
        args += _close(plan, facts, facts.ticket_id, closed, gate_no, now)
    for opened in decision.opens:
        args += _open(plan, item, facts, decision, opened, now)
    return args


def _limit(plan: Plan, place: UUID, people: int, kept: int) -> Args:
    """A limit of a scope or an area, with the counters of who is inside."""
    scope = plan.scopes.get(place)
    if scope is not None:
        return [(scope.capacity or 0) - kept, people, 1, f"i:{scope.no}"]
    area: AreaPlan = plan.areas[place]
    names = [f"i:{one.no}" for one in plan.scopes.values() if one.area_id == place]
    names.append(f"c:{area.no}")
    return [(area.capacity or 0) - kept, people, len(names), *names]


def _close(
    plan: Plan,
    facts: ScanFacts,
    ticket_id: UUID,
    closed: Close,
    gate_no: int,
    now: datetime,
) -> Args:
    scope, person = closed.scope, closed.person_no
    visit = facts.visit(scope.no, person)
    assert facts.ticket is not None
    return [
        visit_key(ticket_id, scope.no, person),
        int(closed.must),
        pack_visit(visit) if visit and closed.must else b"",
        _LEFT.pack(ms(now), gate_no),
        int(closed.assumed),
        facts.ticket.type_no,
        int(scope.kind == "venue"),
        0,
        0,
    ]


def _open(
    plan: Plan,
    item: Item,
    facts: ScanFacts,
    decision: Decision,
    opened: Open,
    now: datetime,
) -> Args:
    before = facts.visit(opened.scope.no, opened.person_no)
    made = taken(plan, item, facts, opened, now)
    field, packed, *rest = made.arguments()
    return [field, pack_visit(before) if before else b"", packed, *rest]


def taken(
    plan: Plan, item: Item, facts: ScanFacts, opened: Open, now: datetime
) -> CacheVisit:
    """The provisional visit of an entry."""
    assert facts.ticket is not None
    assert facts.ticket_id is not None
    visit = Visit(
        opened.pass_no,
        Phase.OPEN,
        False,
        opened.undone,
        False,
        ms(now),
        item.ask.gate.no if item.ask.gate else 0,
        item.device.no,
        0,
        0,
        item.ask.scan.id.bytes,
        opened.day,
        opened.day_used,
        provisional=True,
    )
    return cache_visit(
        plan,
        facts.ticket_id,
        opened.scope.no,
        opened.person_no,
        visit,
        facts.ticket.type_no,
    )
