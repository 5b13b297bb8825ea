"""Bringing a journal into the record: which lines, when, and at whose cost. Sans-I/O.

`Merging` follows one file. A line that was answered is merged; a pending one when its
owner is dead, because its answer may have been sent; a cancelled one never, but the
cache is told what is on record for its ticket. Everything may come twice.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ops.admission.commands import Down, Poisoned
from ops.admission.lines import ENDED, IN, OUT, REPLACED, Found, Line, Owner

LINES_PER_CALL = 64
"""As many as an upload may bring between two live batches."""
LINES_PER_READ = 512
TURNS_MAX = 20
"""Turns that an exit waits for its entry; then what it says is kept without it."""


class ReadLines(msgspec.Struct, frozen=True):
    """The next lines behind `seq`; all modes, or D alone. Reply: (lines, seq)."""

    seq: int
    every_mode: bool
    limit: int


class Rivals(msgspec.Struct, frozen=True):
    """Unconfirmed rows at the places of these lines. Reply: list of UUID, or Down."""

    event_id: UUID
    lines: str


class Lines(msgspec.Struct, frozen=True):
    """The journals' lines of these scans. Reply: list of Found."""

    scan_ids: list[UUID]


class Merge(msgspec.Struct, frozen=True):
    """Write in one transaction. Reply: Merged, Poisoned or Down."""

    event_id: UUID
    lines: str
    shown: list[UUID]
    stale: list[UUID]
    patient: bool
    """Whether an exit may wait for its entry; after `TURNS_MAX` it does not."""


class Reject(msgspec.Struct, frozen=True):
    """A line that the database refuses, for a person to look at. Reply: None, Down."""

    line: Line


class Settle(msgspec.Struct, frozen=True):
    """These tickets may have provisional visits that no line will replace.

    Remember them: when the event is back in N and all files are complete, the cache is
    told what is on record. Not before, for a line that is not merged yet may hold one
    of them. No reply counts.
    """

    event_id: UUID
    ticket_ids: list[UUID]


class Merged(msgspec.Struct, frozen=True):
    """What a call brought in; `tickets` had a conflict."""

    merged: int
    conflicts: int
    tickets: list[UUID] = []
    waiting: list[UUID] = []
    """Exits whose entry is not there: its line may be in another file, not read yet."""


Steps = Generator[Any, Any, Any]


class _Open(msgspec.Struct, frozen=True):
    sc: int
    n: int
    p: int


class _Close(msgspec.Struct, frozen=True):
    sc: int
    n: int
    p: int
    must: bool
    assumed: bool = msgspec.field(name="as")


class _Row(msgspec.Struct, frozen=True):
    q: int
    s: UUID
    k: UUID | None
    at: datetime
    md: str
    ta: UUID | None
    opens: list[_Open]
    closes: list[_Close]
    log: msgspec.Raw


_encode = msgspec.json.Encoder().encode


class Merging:
    """What is known of one file between two turns."""

    def __init__(self) -> None:
        self.seq = -1
        self.pending: dict[UUID, UUID | None] = {}
        """Lines of a living owner that are not answered yet, with their tickets."""
        self.deferred: dict[UUID, tuple[Line, int]] = {}
        """Exits that wait for their entry, and for how many turns."""
        self.merged = 0
        self.conflicts = 0
        self.complete = False
        """Whether the last turn came to the end of the file and brought all in."""

    def turn(self, owner: Owner) -> Steps:
        """Merge what is there; resumes where it stopped when a store is down."""
        self.complete = False
        if owner == "dead" and self.pending:
            # Its owner died: what was pending may have been answered.
            self.seq, self.pending = -1, {}
        if self.deferred:
            again = [line for line, _ in self.deferred.values()]
            if not (yield from self._all(again, owner)):
                return
        while True:
            lines, seq = yield ReadLines(self.seq, owner == "dead", LINES_PER_READ)
            if lines:
                done = yield from self._all(lines, owner)
                if not done:
                    return
            if seq == self.seq or len(lines) < LINES_PER_READ:
                self.seq, self.complete = max(seq, self.seq), not self.deferred
                return
            self.seq = seq

    def _all(self, lines: list[Line], owner: Owner) -> Steps:
        for event_id in dict.fromkeys(line.event_id for line in lines):
            mine = [line for line in lines if line.event_id == event_id]
            for at in range(0, len(mine), LINES_PER_CALL):
                some = mine[at : at + LINES_PER_CALL]
                if not (yield from self._some(event_id, some, owner)):
                    return False
        return True

    def _some(self, event_id: UUID, lines: list[Line], owner: Owner) -> Steps:
        """One call; lines that took over another scan's place in a second one."""
        ready: list[Line] = []
        settle: set[UUID] = set()
        for line in lines:
            self.pending.pop(line.scan_id, None)
            if line.ticket_id is not None and (
                line.state == "cancelled"
                or not line.places
                or any(place[3] == ENDED for place in line.places)
            ):
                # Its places may have been claimed; an inner presence that it ended in
                # the cache may come into the record later than the end.
                settle.add(line.ticket_id)
            if line.state == "pending" and owner != "dead":
                self.pending[line.scan_id] = line.ticket_id
            elif line.log and line.state != "cancelled":
                ready.append(line)
        first = [line for line in ready if line.takes is None]
        second = [line for line in ready if line.takes is not None]
        for some in filter(None, (first, second)):
            if not (yield from self._merge(event_id, some, settle)):
                return False
        if settle:
            yield Settle(event_id, sorted(settle))
        return True

    def _merge(self, event_id: UUID, lines: list[Line], settle: set[UUID]) -> Steps:
        text = rows(lines)
        rivals = yield Rivals(event_id, text)
        if isinstance(rivals, Down):
            return False
        stale: list[UUID] = []
        if rivals:
            found: list[Found] = yield Lines(rivals)
            known = {one.line.scan_id for one in found if _holds(one.line, lines)}
            stale = [scan_id for scan_id in rivals if scan_id not in known]
        shown = [line.scan_id for line in lines if line.state == "shown"]
        turns = max((self.deferred.get(x.scan_id, (x, 0))[1] for x in lines), default=0)
        reply = yield Merge(event_id, text, shown, stale, turns < TURNS_MAX)
        if isinstance(reply, Poisoned):
            return (yield from self._bisect(event_id, lines, settle))
        if not isinstance(reply, Merged):
            return False
        self.merged += reply.merged
        self.conflicts += reply.conflicts
        settle.update(reply.tickets)
        for line in lines:
            _, waited = self.deferred.pop(line.scan_id, (line, 0))
            if line.scan_id in reply.waiting:
                self.deferred[line.scan_id] = line, waited + 1
        return True

    def _bisect(self, event_id: UUID, lines: list[Line], settle: set[UUID]) -> Steps:
        if len(lines) == 1:
            self.conflicts += 1
            return not isinstance((yield Reject(lines[0])), Down)
        middle = len(lines) // 2
        for half in (lines[:middle], lines[middle:]):
            if not (yield from self._merge(event_id, half, settle)):
                return False
        return True


def _holds(rival: Line, lines: list[Line]) -> bool:
    """Whether a rival's green may have been seen at a place of one of these lines."""
    return rival.state != "cancelled" and any(
        line.ticket_id == rival.ticket_id and line.taken & rival.taken for line in lines
    )


def rows(lines: list[Line]) -> str:
    """The lines as `ops.merge_lines_v1` takes them."""
    return _encode([_row(number, line) for number, line in enumerate(lines)]).decode()


def _row(number: int, line: Line) -> _Row:
    opens = [_Open(*place[:3]) for place in line.places if place[3] == IN]
    closes = [
        _Close(*place[:3], place[3] != ENDED, place[3] in (REPLACED, ENDED))
        for place in line.places
        if place[3] in (OUT, REPLACED, ENDED)
    ]
    return _Row(
        number,
        line.scan_id,
        line.ticket_id,
        line.at,
        line.mode,
        line.takes,
        opens,
        closes,
        msgspec.Raw(line.log),
    )
