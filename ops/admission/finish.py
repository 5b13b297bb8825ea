"""What a batch leaves in the cache: visits, counters and lines for the screens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from ops.admission.ask import Ask
from ops.admission.commit import CommitReply
from ops.admission.outcome import Decision
from ops.admission.plan import Plan, ScopePlan
from ops.admission.scan_facts import ScanFacts, Stored
from ops.cache.entry import DeviceEntry, Phase, Visit, ms, pack_visit, visit_key
from ops.cache.keys import LAYOUT_VERSION

FIXED_ARGUMENTS = 9
"""What `arguments` returns for a batch that has nothing to tell."""
FEED_LENGTH = 5_000
"""Batches kept for screens that come back; older ones get a snapshot."""

Args = list[bytes | str | int]

_msgpack = msgspec.msgpack.Encoder()


class Finished(Protocol):
    """What is told of a scan that has its answer."""

    ask: Ask
    code_hint: str
    device: DeviceEntry
    facts: ScanFacts | None
    decision: Decision | None
    stored: Stored | None
    error: str
    durable: str

    @property
    def awaiting(self) -> bool:
        """Whether it is no answer yet."""


class CacheVisit(msgspec.Struct, frozen=True):
    """A visit for the cache with what the counters need."""

    ticket_id: UUID
    scope_no: int
    person_no: int
    visit: Visit
    type_no: int
    venue: bool
    primary: bool

    def arguments(self) -> list[bytes | str | int]:
        """The six values of `finish.lua`."""
        return [
            visit_key(self.ticket_id, self.scope_no, self.person_no),
            pack_visit(self.visit),
            self.type_no,
            int(self.venue),
            self.visit.entered_ms // 60_000,
            int(self.primary),
        ]


def visits(
    plan: Plan, items: Iterable[Finished], replies: list[CommitReply], now: datetime
) -> list[CacheVisit]:
    """The visits that a batch wrote: ends first, so that a next pass follows them."""
    written: list[CacheVisit] = []
    green = [item for item in items if item.durable == "committed"]
    types = {item.facts.ticket_id: item.facts for item in green if item.facts}
    for reply in replies:
        for row in reply.closed:
            facts = types.get(row.k)
            type_no = facts.ticket.type_no if facts and facts.ticket else 0
            assert row.k is not None
            written.append(
                cache_visit(plan, row.k, row.sc, row.n, row.visit(), type_no)
            )
    for item in green:
        decision, facts = item.decision, item.facts
        if decision is None or facts is None or facts.ticket is None:
            continue
        gate_no = item.ask.gate.no if item.ask.gate else 0
        for opened in decision.opens:
            visit = Visit(
                opened.pass_no,
                Phase.CLOSED if opened.past else Phase.OPEN,
                False,
                opened.undone,
                opened.past,
                ms(now),
                gate_no,
                item.device.no,
                ms(now) if opened.past else 0,
                0,
                item.ask.scan.id.bytes,
                opened.day,
                opened.day_used,
            )
            assert facts.ticket_id is not None
            written.append(
                cache_visit(
                    plan,
                    facts.ticket_id,
                    opened.scope.no,
                    opened.person_no,
                    visit,
                    facts.ticket.type_no,
                )
            )
    return written


def cache_visit(
    plan: Plan,
    ticket_id: UUID,
    scope_no: int,
    person_no: int,
    visit: Visit,
    type_no: int,
) -> CacheVisit:
    """A visit with what the counters need; the desk and the drain agree on it."""
    scope = plan.scopes_by_no.get(scope_no)
    return CacheVisit(
        ticket_id,
        scope_no,
        person_no,
        visit,
        type_no,
        bool(scope and scope.kind == "venue"),
        _leads_to(plan, visit.gate_no, scope),
    )


def _leads_to(plan: Plan, gate_no: int, scope: ScopePlan | None) -> bool:
    """Whether an entry counts at its gate: the gate leads into the scope's area."""
    gate = plan.gates_by_no.get(gate_no)
    return bool(scope and gate and gate.area_id == scope.area_id)


def lines(plan: Plan, items: Iterable[Finished], now: datetime) -> list[list[object]]:
    """One line a new answer for the ticker (docs/subsystems/seams.md)."""
    told: list[list[object]] = []
    for item in items:
        decision = item.decision
        fresh = not item.error and item.stored is None and not item.ask.scan.dry_run
        if decision is None or not fresh or item.awaiting:
            continue
        gate, facts = item.ask.gate, item.facts
        ticket = facts.ticket if facts else None
        area = plan.areas.get(decision.scope.area_id) if decision.scope else None
        told.append(
            [
                item.ask.scan.id.bytes,
                ms(now),
                decision.verdict,
                decision.reason,
                item.ask.direction,
                decision.people,
                facts.ticket_id.bytes if facts and facts.ticket_id else None,
                ticket.type_no if ticket else 0,
                gate.no if gate else 0,
                area.no if area else 0,
                item.device.no,
                item.device.operator_no,
                item.code_hint,
            ]
        )
    return told


def increments(
    items: Iterable[Finished], replies: Iterable[CommitReply]
) -> list[bytes | str | int]:
    """Counters that no visit tells: refused attempts, exits brought before entries."""
    counts: dict[str, int] = {}
    for reply in replies:
        for gate_no, people in reply.exits.items():
            counts[f"x:{gate_no}"] = counts.get(f"x:{gate_no}", 0) + people
    for item in items:
        decision = item.decision
        if decision is None or item.error or item.stored or item.ask.scan.dry_run:
            continue
        if decision.verdict == "refused" and not decision.just_now:
            name = f"r:{item.ask.gate.no if item.ask.gate else 0}"
            counts[name] = counts.get(name, 0) + 1
    pairs: list[bytes | str | int] = []
    for name, count in counts.items():
        pairs += [name, count]
    return pairs


def arguments(
    echo: bytes,
    epoch: int | None,
    written: list[CacheVisit],
    told: list[list[object]],
    counted: list[bytes | str | int],
    shown: Iterable[tuple[bytes, bytes]] = (),
) -> list[bytes | str | int]:
    """ARGV of `finish.lua`; `epoch` None is the drain, whose rows are committed.

    Args:
        shown: (field, scan id) of admissions whose green was shown.
    """
    shown = list(shown)
    args: list[bytes | str | int] = [
        echo,
        LAYOUT_VERSION,
        "" if epoch is None else epoch,
        len(written),
        _msgpack.encode(told) if told else b"",
        len(told),
        FEED_LENGTH,
        len(shown),
        "",
    ]
    for visit in written:
        args += visit.arguments()
    for field, scan_id in shown:
        args += [field, scan_id]
    return args + counted


def gone(before: CacheVisit) -> Args:
    """The arguments that take a provisional visit back, and what it counted."""
    field, _, *rest = before.arguments()
    return [field, b"", *rest]


def settling(echo: bytes, tickets: list[CacheVisit | Args]) -> Args:
    """ARGV of `finish.lua` after a merge: provisional visits become what is on record.

    Args:
        tickets: a visit of the record, or the arguments of one that the record has
            not (`gone`).
    """
    args: Args = [echo, LAYOUT_VERSION, "", len(tickets), b"", 0, FEED_LENGTH, 0, "1"]
    for one in tickets:
        args += one.arguments() if isinstance(one, CacheVisit) else one
    return args
