"""Falling into place: uploads that explain a double entry, whatever came first. Pure.

Several doors were alone and bring in, out and in again in any order. Where both entries
were here before the exit between them, the later one had no place: a conflict. When the
exit is here too, the history of the ticket is played again by the doors' own times: an
entry that found its person outside is a pass, and its conflict is over. What overlaps
stays a conflict: somebody came in twice.

Only tickets of one person; of a group nobody knows which of its people an exit was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

EXPLAINED = ("already_inside", "already_used", "unconfirmed")
"""Reasons of the server that an exit can take away: all say that somebody is in."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A pass that has a row. `at`: the door's time, less the device's skew.

    `assumed`: nobody scanned its end. `exit_id`: the scan that ended it. `live`: the
    server let it in itself.
    """

    id: UUID
    scan_id: UUID
    pass_no: int
    at: datetime
    day: int = 0
    open: bool = False
    undone: bool = False
    assumed: bool = False
    exit_id: UUID | None = None
    live: bool = False


class Disputed(msgspec.Struct, frozen=True):
    """An uploaded entry without a row: the conflict that it became."""

    conflict_id: UUID
    scan_id: UUID
    at: datetime
    day: int = 0


class Exit(msgspec.Struct, frozen=True):
    """An exit at a door. `assumed`: of an outer place, which ended this one too."""

    scan_id: UUID
    at: datetime
    live: bool = False
    assumed: bool = False


class Rules(msgspec.Struct, frozen=True):
    """How often a ticket may come in; None: as often as it left."""

    total: int | None = None
    per_day: int | None = None
    gap: timedelta | None = None


class Placed(msgspec.Struct, frozen=True):
    """A conflict's entry that becomes a pass; without `exit` its person is inside.

    `by`: the exit that told the two entries apart.
    """

    entry: Disputed
    pass_no: int
    exit: Exit | None
    by: Exit | None


class Moved(msgspec.Struct, frozen=True):
    """A written pass with another number, or ended by another exit than before."""

    row: Written
    pass_no: int
    exit: Exit | None


class Settlement(msgspec.Struct, frozen=True):
    """What to write; `enters`: somebody is inside who was not before."""

    placed: tuple[Placed, ...]
    moved: tuple[Moved, ...]
    enters: bool


class _Pass(msgspec.Struct):
    entry: Written | Disputed
    exit: Exit | None = None


def settle(
    rows: Iterable[Written],
    disputed: Iterable[Disputed],
    exits: Iterable[Exit],
    rules: Rules,
) -> Settlement | None:
    """The passes that a ticket's history in one scope explains.

    Returns:
        None: nothing is explained, or the record would have to say something else than
        what it has told already (somebody inside who is out by this, the other way
        round, two passes of the record at once). Then a person must look.
    """
    written = [row for row in rows if not row.undone]
    numbers = [row.pass_no for row in rows]
    ends = list(exits)
    passes = _play([*written, *disputed], ends, written, rules)
    if passes is None:
        return None
    placed = [one for one in passes if isinstance(one.entry, Disputed)]
    if not placed or not _keeps_its_word(passes, written, ends):
        return None
    return _numbered(passes, placed, max(numbers, default=0))


def _play(
    entries: list[Written | Disputed],
    exits: list[Exit],
    written: list[Written],
    rules: Rules,
) -> list[_Pass] | None:
    """The passes in the order of the doors' times; None: the record overlaps."""
    room = _Room(rules, written)
    passes: list[_Pass] = []
    inside = False
    for move in _in_order(entries, exits):
        last = passes[-1] if passes else None
        if isinstance(move, Exit):
            if inside and last is not None:
                last.exit, inside = move, False
            continue
        if inside and last is not None:
            if isinstance(move, Disputed):
                continue  # in twice: it stays a conflict
            if isinstance(last.entry, Disputed):
                # One of the two had no place, and it was not this one.
                room.gives_back(last.entry)
                passes[-1] = _Pass(move)
                continue
            if not last.entry.assumed:
                return None
        elif isinstance(move, Disputed) and not room.takes(move, last):
            continue
        passes.append(_Pass(move))
        inside = True
    return passes


class _Room:
    """How many passes are left; those of the record are taken first."""

    def __init__(self, rules: Rules, written: list[Written]) -> None:
        self._rules = rules
        self._used = len(written)
        self._days = Counter(row.day for row in written)

    def takes(self, entry: Disputed, before: _Pass | None) -> bool:
        total, per_day, gap = self._rules.total, self._rules.per_day, self._rules.gap
        if total and self._used >= total:
            return False
        if per_day and self._days[entry.day] >= per_day:
            return False
        if gap and before is not None and entry.at < before.entry.at + gap:
            return False
        self._used += 1
        self._days[entry.day] += 1
        return True

    def gives_back(self, entry: Disputed) -> None:
        self._used -= 1
        self._days[entry.day] -= 1


def _in_order(
    entries: list[Written | Disputed], exits: list[Exit]
) -> list[Written | Disputed | Exit]:
    """By time; of one instant the exit first if somebody is inside, else the entry."""
    moves: list[Written | Disputed | Exit] = [*entries, *exits]
    moves.sort(key=lambda move: (move.at, move.scan_id))
    ordered: list[Written | Disputed | Exit] = []
    inside = False
    while moves:
        first = moves[0].at
        wanted = (
            index
            for index, move in enumerate(moves)
            if move.at == first and isinstance(move, Exit) is inside
        )
        move = moves.pop(next(wanted, 0))
        inside = not isinstance(move, Exit)
        ordered.append(move)
    return ordered


def _keeps_its_word(
    passes: list[_Pass], written: list[Written], exits: list[Exit]
) -> bool:
    """Whether what the record told of who is inside still holds.

    What the server decided itself comes last by right: an upload of before changes
    nothing about who is inside now.
    """
    after = {one.entry.scan_id: one for one in passes}
    for row in written:
        now = after[row.scan_id]
        ended = now.exit is not None or row.assumed
        if row.open and now.exit is not None:
            return False
        if not row.open and not ended:
            return False
    last = passes[-1]
    enters = isinstance(last.entry, Disputed) and last.exit is None
    if not enters:
        return True
    lives = [row.at for row in written if row.live]
    lives += [one.at for one in exits if one.live]
    nobody_else = not any(row.open for row in written)
    return nobody_else and all(at <= last.entry.at for at in lives)


def _numbered(passes: list[_Pass], placed: list[_Pass], newest: int) -> Settlement:
    """The numbers of the passes: who is inside has the greatest (decision 0004)."""
    free = list(range(newest + 1, newest + 1 + len(placed)))
    moved: list[Moved] = []
    for one in passes:
        row = one.entry
        if not isinstance(row, Written):
            continue
        number = row.pass_no
        if row.open:
            # It gives its number to a pass of before, and takes the last one.
            free.insert(0, number)
            number = free.pop()
        left = one.exit.scan_id if one.exit else row.exit_id
        if number != row.pass_no or left != row.exit_id:
            moved.append(Moved(row, number, one.exit))
    found: list[Placed] = []
    before: _Pass | None = None
    for one in passes:
        if isinstance(one.entry, Disputed):
            by = before.exit if before and before.exit else one.exit
            found.append(Placed(one.entry, free.pop(0), one.exit, by))
        before = one
    return Settlement(tuple(found), tuple(moved), found[-1].exit is None)
