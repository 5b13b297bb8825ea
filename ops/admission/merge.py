"""Bringing a journal into the record: which lines, when, and at whose cost. Sans-I/O.

`Merging` follows one file. A line that was answered is merged; a pending exit when its
owner is dead, because its guest has left all the same; a pending entry then, or one
that was cancelled, never, for nobody was let in by it: the cache is told what is on
record for its ticket. Everything may come twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ops.admission.commands import Down, Poisoned
from ops.admission.lines import ENDED, IN, OUT, Found, Line, Owner

LINES_PER_CALL = 64
"""To begin with; then as many as take `BUSY_MS` or `CALM_MS` (`Merging.size`)."""
LINES_PER_CALL_MIN, LINES_PER_CALL_MAX = 16, 256
BUSY_MS, CALM_MS = 10.0, 50.0
"""How long a call may keep the record to itself while the door waits for it, or not."""
QUEUED_MS = 1.0
"""Who had to wait so long for the record shares it with a door that is at work."""
LINES_PER_READ = 1024
TURNS_MAX = 20
"""Turns without any progress that an entry waits for the exit before it, and half of
those that an exit waits for its entry; then it is kept without the other."""


class ReadLines(msgspec.Struct, frozen=True):
    """The next lines behind `seq`; all modes, or D alone. Reply: (lines, seq)."""

    seq: int
    every_mode: bool
    limit: int


class Rivals(msgspec.Struct, frozen=True):
    """Other scans with the passes of these entries.

    Reply: list of (scan, whether its rows are confirmed), or Down.
    """

    event_id: UUID
    opens: str


class Lines(msgspec.Struct, frozen=True):
    """The journals' lines of these scans. Reply: list of Found."""

    scan_ids: list[UUID]


class Rows(msgspec.Struct, frozen=True):
    """Lines as `ops.merge_lines_v1` takes them: three JSON lists."""

    lines: str
    opens: str
    closes: str


class Merge(msgspec.Struct, frozen=True):
    """Write in one transaction. Reply: Merged, Poisoned or Down."""

    event_id: UUID
    rows: Rows
    shown: list[UUID]
    stale: list[UUID]
    hasty: list[UUID]
    """Scans that wait for no other line any more (`TURNS_MAX`)."""
    weighed: list[UUID] = []
    """All rivals that were looked for. For a row that came after, the line waits."""
    astray: list[UUID] = []
    """Rivals that were let in at another place than their row's: it was confirmed for
    that green, by its scan alone."""
    unseen: list[UUID] = []
    """Commits that a green of mode D has taken the place of: nobody is in by them."""


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
    """Exits whose entry is not there, and entries before the exit that comes first:
    that line may be in another file, not read yet."""
    queued_ms: float = 0.0
    """How long the call waited for the door, and how long it kept the door waiting."""
    took_ms: float = 0.0


Steps = Generator[Any, Any, Any]


class _Line(msgspec.Struct, frozen=True, gc=False):
    s: UUID
    at: datetime
    md: str
    pl: bool
    log: msgspec.Raw


class _Open(msgspec.Struct, frozen=True, gc=False):
    s: UUID
    k: UUID | None
    at: datetime
    md: str
    ta: UUID | None
    sc: int
    n: int
    p: int
    g: UUID | None
    d: UUID | None
    op: UUID | None
    me: str
    dt: datetime | None
    off: bool


class _Close(msgspec.Struct, frozen=True, gc=False):
    s: UUID
    k: UUID | None
    at: datetime
    sc: int
    n: int
    p: int
    must: bool
    assumed: bool = msgspec.field(name="as")
    g: UUID | None = None


class _Told(msgspec.Struct, frozen=True, gc=False):
    """What the rows of visits take from the row of the scan log."""

    g: UUID | None = None
    d: UUID | None = None
    op: UUID | None = None
    me: str = ""
    sa: datetime | None = None
    off: bool = False


_encode = msgspec.json.Encoder().encode
_told = msgspec.json.Decoder(_Told).decode


class Merging:
    """What is known of one file between two turns."""

    def __init__(self) -> None:
        self.seq = -1
        self.pending: dict[UUID, UUID | None] = {}
        """Lines of a living owner that are not answered yet, with their tickets."""
        self.deferred: dict[UUID, tuple[Line, int]] = {}
        """Lines that wait for another one, and for how many turns without progress."""
        self.size = LINES_PER_CALL
        self.merged = 0
        self.conflicts = 0
        self.complete = False
        """Whether the last turn came to the end of the file and brought all in."""
        self.over = False
        """The same of a file that nobody writes any more: nothing comes after it."""
        self._held: frozenset[UUID] = frozenset()
        self._stalled = False

    def turn(
        self, owner: Owner, held: frozenset[UUID] = frozenset(), *, stalled: bool = True
    ) -> Steps:
        """Merge what is there; resumes where it stopped when a store is down.

        Args:
            held: tickets of which a living process has a line that is not answered
                yet: who waits for it waits on.
            stalled: no file of the machine brought anything in since the last turn, so
                it counts for those who wait.
        """
        self.complete = self.over = False
        self._held, self._stalled = held, stalled
        if owner == "dead" and self.pending:
            # Its owner died: what it left pending will not change any more.
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
                if self.pending:
                    yield from self._written_over()
                self.seq, self.complete = max(seq, self.seq), not self.deferred
                self.over = self.complete and owner == "dead"
                return
            self.seq = seq

    def _written_over(self) -> Steps:
        """Let go of pending lines that a commit of their scan went over.

        Of a living owner lines of mode D alone are read, so nothing else says so.
        """
        found: list[Found] = yield Lines(list(self.pending))
        waits = {one.line.scan_id for one in found if one.line.mode == "D"}
        for line in (one.line for one in found):
            if line.scan_id in self.pending.keys() - waits and line.ticket_id:
                del self.pending[line.scan_id]
                yield Settle(line.event_id, [line.ticket_id])

    def _all(self, lines: list[Line], owner: Owner) -> Steps:
        for event_id in dict.fromkeys(line.event_id for line in lines):
            mine = [line for line in lines if line.event_id == event_id]
            settle: set[UUID] = set()
            for wave in waves(self._ready(mine, owner, settle)):
                at = 0
                while at < len(wave):
                    some = wave[at : at + self.size]
                    at += len(some)
                    if not (yield from self._merge(event_id, some, settle)):
                        return False
            if settle:
                yield Settle(event_id, sorted(settle))
        return True

    def _ready(
        self, lines: list[Line], owner: Owner, settle: set[UUID]
    ) -> Iterator[Line]:
        """The lines to merge; `settle` gets tickets whose claims come to nothing."""
        for line in lines:
            self.pending.pop(line.scan_id, None)
            if line.state == "pending" and owner != "dead":
                self.pending[line.scan_id] = line.ticket_id
                continue
            if line.ticket_id is not None and (
                line.void
                or not line.places
                or any(place[3] == ENDED for place in line.places)
            ):
                # Its places may have been claimed; an inner presence that it ended in
                # the cache may come into the record later than the end.
                settle.add(line.ticket_id)
            if line.log and not line.void:
                yield line

    def _merge(self, event_id: UUID, lines: list[Line], settle: set[UUID]) -> Steps:
        try:
            made = rows(lines)
        except msgspec.MsgspecError:
            return (yield from self._bisect(event_id, lines, settle))
        weighed = (yield Rivals(event_id, made.opens)) if made.opens != "[]" else []
        if isinstance(weighed, Down):
            return False
        rivals = [scan_id for scan_id, _ in weighed]
        stale: list[UUID] = []
        astray: list[UUID] = []
        unseen: list[UUID] = []
        if rivals:
            found: list[Found] = yield Lines(rivals)
            known = {one.line.scan_id for one in found if _holds(one, lines)}
            astray = _astray(found, lines, rivals)
            unsure = {scan_id for scan_id, sure in weighed if not sure}
            yields = unsure.union(astray) - known
            stale = [scan_id for scan_id in rivals if scan_id in yields]
            unseen = [line.scan_id for line in lines if _unseen(line, found)]
            decided = self._decided(lines, found)
            if len(decided) < len(lines):
                if not decided:
                    return True
                lines, made = decided, rows(decided)
        shown = [line.scan_id for line in lines if line.state == "shown"]
        hasty = self._hasty(lines)
        reply = yield Merge(event_id, made, shown, stale, hasty, rivals, astray, unseen)
        if isinstance(reply, Poisoned):
            return (yield from self._bisect(event_id, lines, settle))
        if not isinstance(reply, Merged):
            return False
        self._note(lines, reply)
        settle.update(reply.tickets)
        return True

    def _decided(self, lines: list[Line], found: list[Found]) -> list[Line]:
        """Without those whose rival is being decided right now: they wait for it.

        Such a rival is green or amber in a moment; until then it is not known which of
        the two a guest was shown.
        """
        rivals = [
            one for one in found if one.line.state == "pending" and one.owner != "dead"
        ]
        waiting = [x for x in lines if any(_holds(one, [x]) for one in rivals)]
        for line in waiting:
            self.deferred.setdefault(line.scan_id, (line, 0))
        return [line for line in lines if line not in waiting]

    def _hasty(self, lines: list[Line]) -> list[UUID]:
        return [
            line.scan_id
            for line in lines
            # An entry that waits no longer may be the one that an exit waits for.
            if self.deferred.get(line.scan_id, (line, 0))[1]
            >= (TURNS_MAX if line.taken else 2 * TURNS_MAX)
            and line.ticket_id not in self._held
        ]

    def _note(self, lines: list[Line], reply: Merged) -> None:
        self.merged += reply.merged
        self.conflicts += reply.conflicts
        waiting = set(reply.waiting)
        for line in lines:
            _, waited = self.deferred.pop(line.scan_id, (line, 0))
            if line.scan_id in waiting:
                self.deferred[line.scan_id] = line, waited + self._stalled
        if reply.took_ms and len(lines) >= self.size:
            wanted = BUSY_MS if reply.queued_ms > QUEUED_MS else CALM_MS
            size = int(self.size * min(2.0, wanted / reply.took_ms))
            self.size = max(LINES_PER_CALL_MIN, min(LINES_PER_CALL_MAX, size))

    def _bisect(self, event_id: UUID, lines: list[Line], settle: set[UUID]) -> Steps:
        if len(lines) == 1:
            self.conflicts += 1
            return not isinstance((yield Reject(lines[0])), Down)
        middle = len(lines) // 2
        for half in (lines[:middle], lines[middle:]):
            if not (yield from self._merge(event_id, half, settle)):
                return False
        return True


def _holds(found: Found, lines: list[Line]) -> bool:
    """Whether a rival's green was seen, or will be, at a place of one of these lines.

    Every process writes its line, looks at all journals, and is green only if it found
    nobody. So of a line of mode D that was answered and one of a commit (N, D2), whose
    `answered` comes before its look, the commit was written later: its process found
    the other, or died before it looked. `shown` is certain.
    """
    rival = found.line
    for line in lines:
        if line.scan_id == rival.scan_id or not _cross(rival, line):
            continue
        if rival.state == "shown" or (
            rival.state == "pending" and found.owner != "dead"
        ):
            return True
        answered = rival.state == "answered"
        if answered and (rival.mode == "D" or line.mode != "D"):
            return True
    return False


def _unseen(line: Line, found: list[Found]) -> bool:
    """Whether nobody saw the green of a commit: one of mode D has its place.

    It looked before our line was written (`_holds`), so our process found it, or died.
    """
    return (
        line.mode != "D"
        and line.state == "answered"
        and any(
            one.line.mode == "D"
            and one.line.state in ("answered", "shown")
            and _cross(one.line, line)
            for one in found
        )
    )


def _astray(found: list[Found], lines: list[Line], rivals: list[UUID]) -> list[UUID]:
    """Rivals with a green of mode D elsewhere, and no line at the place in question.

    Their commit stands although nobody heard of it; then they were decided anew.
    """
    said = [one.line for one in found if not one.line.void]
    there = {one.scan_id for one in said if any(_cross(one, line) for line in lines)}
    green = {one.scan_id for one in said if one.mode == "D" and one.taken}
    return [rival for rival in rivals if rival in green - there]


def _cross(one: Line, other: Line) -> bool:
    return one.ticket_id == other.ticket_id and bool(one.taken & other.taken)


def waves(lines: Iterable[Line]) -> list[list[Line]]:
    """The lines by calls of at most one line a ticket, in their order.

    What a line finds in the record is then what the lines before it have left there,
    whatever is merged of other files between two calls. Who took over another scan's
    place comes behind it.
    """
    made: list[list[Line]] = []
    depth: Counter[UUID] = Counter()
    for line in sorted(lines, key=lambda one: one.takes is not None):
        number = 0
        if line.ticket_id is not None:
            number = depth[line.ticket_id]
            depth[line.ticket_id] += 1
        if number == len(made):
            made.append([])
        made[number].append(line)
    return made


def rows(lines: list[Line]) -> Rows:
    """The lines as `ops.merge_lines_v1` takes them.

    Raises:
        msgspec.MsgspecError: what one of them says cannot be read.
    """
    told: list[_Line] = []
    opens: list[_Open] = []
    closes: list[_Close] = []
    for line in lines:
        row, at, ticket = _told(line.log), line.at, line.ticket_id
        places = bool(line.places)
        told.append(_Line(line.scan_id, at, line.mode, places, msgspec.Raw(line.log)))
        for scope_no, person, pass_no, what in line.places:
            if what == IN:
                opens.append(
                    _Open(
                        line.scan_id,
                        ticket,
                        at,
                        line.mode,
                        line.takes,
                        scope_no,
                        person,
                        pass_no,
                        row.g,
                        row.d,
                        row.op,
                        row.me,
                        row.sa,
                        row.off,
                    )
                )
            else:
                must, assumed = what != ENDED, what != OUT
                closes.append(
                    _Close(
                        line.scan_id,
                        ticket,
                        at,
                        scope_no,
                        person,
                        pass_no,
                        must,
                        assumed,
                        row.g,
                    )
                )
    return Rows(*(_encode(one).decode() for one in (told, opens, closes)))
