"""A line of the journal: what is kept of one answer. Pure.

A line is written before a green is sent (rule R5 of the admission protocol), in mode D
for every answer. It holds the row of the scan log and the places that the scan took or
left, so a merge needs nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from ops.admission.commit import LogRow, Writing, door_row, log_row
from ops.admission.plan import Plan
from ops.admission.scan_facts import Stored

LINE_VERSION = 2
"""Readers take this version and the one before."""

State = Literal["pending", "answered", "shown", "cancelled"]
Owner = Literal["own", "live", "dead"]
Place = tuple[int, int, int, int]
"""Scope number, person, pass (0: whichever is open), and one of the four below."""

IN, OUT, REPLACED, ENDED = 1, 0, 2, 3
"""Came in; left; left by coming in again; left a place that may not have been held."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(LogRow)


class Line(msgspec.Struct, frozen=True, gc=False):
    """One answer. `log` is its `LogRow` as JSON, `takes` the scan it took over."""

    scan_id: UUID
    event_id: UUID
    ticket_id: UUID | None
    epoch: int
    content_hash: bytes
    at_us: int
    state: State
    places: tuple[Place, ...]
    mode: str = "N"
    takes: UUID | None = None
    log: bytes = b""

    @property
    def at(self) -> datetime:
        """When it was decided."""
        return _EPOCH + timedelta(microseconds=self.at_us)

    @property
    def taken(self) -> set[tuple[int, int, int]]:
        """The passes it took: scope number, person, pass."""
        return {place[:3] for place in self.places if place[3] == IN}

    @property
    def void(self) -> bool:
        """Whether nobody was let in by it: taken back, or its process died before.

        A line of mode D is `answered` in the journal before its green is sent, so an
        entry that is still `pending` when its owner is dead was never told to anybody.
        """
        return self.state == "cancelled" or (
            self.state == "pending" and bool(self.taken)
        )

    def row(self) -> LogRow | None:
        """The row of the scan log; None in a line of the first version."""
        return _decoder.decode(self.log) if self.log else None


class Found(msgspec.Struct, frozen=True):
    """A line that was found in the journals of this machine, and who wrote it."""

    line: Line
    owner: Owner


def micros(at: datetime) -> int:
    """A time as microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def line_of(
    plan: Plan, item: Writing, now: datetime, mode: str, epoch: int, state: State
) -> Line:
    """The line of an item with a decision."""
    decision, facts = item.decision, item.facts
    assert decision is not None
    places: list[Place] = []
    if state != "cancelled":
        for closed in decision.closes:
            what = ENDED if not closed.must else REPLACED if closed.assumed else OUT
            visit = facts.visit(closed.scope.no, closed.person_no) if facts else None
            ended = visit.pass_no if visit and (closed.must or visit.inside) else 0
            places.append((closed.scope.no, closed.person_no, ended, what))
        places += [
            (opened.scope.no, opened.person_no, opened.pass_no, IN)
            for opened in decision.opens
        ]
    return Line(
        item.ask.scan.id,
        plan.event.id,
        facts.ticket_id if facts and facts.ticket else None,
        epoch,
        item.content_hash,
        micros(now),
        state,
        tuple(places),
        mode,
        decision.takes if state != "cancelled" else None,
        _encoded(log_row(item, decision, None)),
    )


def _encoded(row: LogRow) -> bytes:
    """The row without the holder's name: files of a journal hold ids."""
    args = {key: value for key, value in row.ar.items() if key != "name"}
    return _encoder.encode(msgspec.structs.replace(row, ar=args))


def replayed_line(plan: Plan, item: Writing, answer: Stored, epoch: int) -> Line:
    """The line of a green that PostgreSQL remembers, when it is said again."""
    facts, scan_id = item.facts, item.ask.scan.id
    visits = facts.visits.items() if facts else ()
    row = msgspec.structs.replace(
        door_row(item, answer), ar=answer.args, off=False, door=None
    )
    return Line(
        scan_id,
        plan.event.id,
        answer.ticket_id,
        epoch,
        item.content_hash,
        micros(answer.decided_at),
        "answered",
        tuple(
            (scope_no, person, visit.pass_no, IN)
            for (scope_no, person), visit in visits
            if visit.scan_id == scan_id.bytes
        ),
        "N",
        None,
        _encoded(row),
    )


def log_line(plan: Plan, row: LogRow, now: datetime, epoch: int) -> Line:
    """The line of an answer that takes no place and waits for its row."""
    return Line(
        row.s,
        plan.event.id,
        row.k,
        epoch,
        bytes.fromhex(row.ch),
        micros(now),
        "answered",
        (),
        "D",
        None,
        _encoded(row),
    )


def over(before: Line, after: Line) -> Line | None:
    """What is kept when a line is written over another one of its scan; None: nothing.

    A green that was answered stays, unless its owner cancels it: an answer that takes
    no place (what waited for the scan log, what a device showed meanwhile) may say
    more about a scan, but nobody is sent out again by it.
    """
    green = bool(before.places) and before.state in ("answered", "shown")
    if not green or after.places or after.state == "cancelled":
        return after
    kept, said = before.row(), after.row()
    if kept is None or said is None or said.door is None or kept.door is not None:
        return None
    told = msgspec.structs.replace(kept, door=said.door, off=True)
    return msgspec.structs.replace(before, log=_encoder.encode(told))


def stored(line: Line) -> Stored | None:
    """The answer that a line remembers."""
    row = line.row()
    if row is None:
        return None
    green = row.ve in ("admitted", "exited")
    durable = "committed" if line.mode != "D" else "journal"
    return Stored(
        line.event_id,
        row.d,
        row.ch,
        row.ve,
        row.re,
        row.ar,
        line.at,
        row.di,
        row.k,
        row.sc,
        row.g,
        row.p,
        row.pe,
        durable if green else "none",
        in_journal=True,
    )


def others(lines: list[Found], scan_id: UUID, ticket_id: UUID) -> list[Line]:
    """Lines of other scans for a ticket that were answered green, or may be yet."""
    return [
        found.line
        for found in lines
        if found.line.ticket_id == ticket_id
        and found.line.scan_id != scan_id
        and found.line.state != "cancelled"
        and not (found.line.void and found.owner == "dead")
    ]
