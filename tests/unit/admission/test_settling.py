"""Falling into place: any order of a legal history ends as in order, others do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.admission.settling import (
    Disputed,
    Exit,
    Rules,
    Settlement,
    Written,
    settle,
)
from ops.ids import uuid7

DOORS = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
FREE = Rules()


def at(minute: float) -> datetime:
    return DOORS + timedelta(minutes=minute)


def written(minute: float, pass_no: int = 1, **fields: Any) -> Written:
    return Written(
        id=uuid7(), scan_id=uuid7(), pass_no=pass_no, at=at(minute), **fields
    )


def disputed(minute: float, day: int = 0) -> Disputed:
    return Disputed(uuid7(), uuid7(), at(minute), day)


def left(minute: float, **fields: Any) -> Exit:
    return Exit(uuid7(), at(minute), **fields)


def test_both_entries_first_and_then_the_exit_between_them() -> None:
    gone = left(10)
    first, second = written(0, exit_id=gone.scan_id), disputed(20)
    found = settle([first], [second], [gone], FREE)
    assert found is not None
    [placed] = found.placed
    assert (placed.entry, placed.pass_no, placed.exit) == (second, 2, None)
    assert placed.by == gone
    assert (found.moved, found.enters) == ((), True)
    # The control: an exit after both explains nothing.
    late = left(30)
    first = written(0, exit_id=late.scan_id)
    assert settle([first], [second], [late], FREE) is None


def test_the_later_entry_came_first_and_keeps_the_newest_number() -> None:
    second, first, gone = written(20, open=True), disputed(0), left(10)
    found = settle([second], [first], [gone], FREE)
    assert found is not None
    assert [(one.entry, one.pass_no) for one in found.placed] == [(first, 1)]
    assert [(one.row, one.pass_no) for one in found.moved] == [(second, 2)]
    assert not found.enters


def test_an_exit_goes_to_the_pass_that_it_ended() -> None:
    out1, out2 = left(10), left(30)
    first, second = written(0, exit_id=out2.scan_id), disputed(20)
    found = settle([first], [second], [out1, out2], FREE)
    assert found is not None
    assert [one.exit for one in found.placed] == [out2]
    assert [(one.row, one.exit) for one in found.moved] == [(first, out1)]


def test_nobody_scanned_the_end_of_a_pass() -> None:
    """It is no exit that explains an entry; the next pass of the record ends it."""
    first = written(0, assumed=True)
    second = written(40, pass_no=2, open=True)
    assert settle([first, second], [disputed(20)], [], FREE) is None


@pytest.mark.parametrize(
    "rules",
    [Rules(total=1), Rules(per_day=1), Rules(gap=timedelta(minutes=21))],
    ids=["never", "daily", "gap"],
)
def test_a_rule_that_forbids_the_second_entry_leaves_the_conflict(rules: Rules) -> None:
    gone = left(10)
    first, second = written(0, exit_id=gone.scan_id), disputed(20)
    assert settle([first], [second], [gone], rules) is None
    assert settle([first], [second], [gone], FREE), "the control"


def test_another_day_has_its_own_passes() -> None:
    gone = left(10)
    first = written(0, exit_id=gone.scan_id, day=5)
    daily = Rules(per_day=1)
    assert settle([first], [disputed(20, day=6)], [gone], daily)
    assert settle([first], [disputed(20, day=5)], [gone], daily) is None


def test_what_the_server_decided_itself_stands() -> None:
    gone, seen = left(10), left(50, live=True)
    first = written(0, exit_id=gone.scan_id)
    found = settle([first], [disputed(20)], [gone, seen], FREE)
    assert found is not None
    assert found.placed[0].exit == seen
    # The live exit came before that entry: an upload lets nobody be inside after it.
    again = written(30, pass_no=2, exit_id=seen.scan_id, live=True)
    found = settle([first, again], [disputed(60)], [gone, seen], FREE)
    assert found is not None
    assert found.enters
    live = written(70, pass_no=2, assumed=True, live=True)
    assert settle([first, live], [disputed(60)], [gone, seen], FREE) is None


def test_undone_passes_keep_their_number_and_count_for_nothing() -> None:
    gone = left(10)
    rows = [written(0, exit_id=gone.scan_id), written(5, pass_no=2, undone=True)]
    found = settle(rows, [disputed(20)], [gone], Rules(total=2))
    assert found is not None
    assert found.placed[0].pass_no == 3


class Server:
    """What the record does with one upload after the other, in the least words."""

    def __init__(self, settling: bool = True) -> None:
        self.rows: list[Written] = []
        self.disputed: list[Disputed] = []
        self.exits: list[Exit] = []
        self.settling = settling

    def takes(self, move: Exit | Disputed) -> None:
        if isinstance(move, Exit):
            self.exits.append(move)
            if all(row.at <= move.at for row in self.rows):
                self._replace(open, move)
            return
        ended = {row.exit_id for row in self.rows}
        spare = [one for one in self.exits if one.scan_id not in ended]
        times = {one.scan_id: one.at for one in self.exits}
        inside = any(row.open for row in self.rows) or any(
            row.at <= move.at < times[row.exit_id]
            if row.at <= move.at and row.exit_id
            else row.at > move.at
            and not any(move.at <= one.at <= row.at for one in spare)
            for row in self.rows
        )
        if inside:
            self.disputed.append(move)
            return
        after = min(
            (one for one in spare if one.at >= move.at),
            key=lambda one: one.at,
            default=None,
        )
        over = any(one.at > move.at for one in self.exits)
        self.rows.append(
            Written(
                id=uuid7(),
                scan_id=move.scan_id,
                pass_no=len(self.rows) + 1,
                at=move.at,
                open=not over,
                assumed=over and after is None,
                exit_id=after.scan_id if over and after else None,
            )
        )

    def _replace(self, _: Any, by: Exit) -> None:
        self.rows = [
            _changed(row, open=False, exit_id=by.scan_id) if row.open else row
            for row in self.rows
        ]

    def settles(self) -> None:
        found = self.settling and settle(self.rows, self.disputed, self.exits, FREE)
        if not isinstance(found, Settlement):
            return
        newest = max((row for row in self.rows), key=lambda row: row.pass_no)
        for moved in found.moved:
            exit_id = moved.exit.scan_id if moved.exit else moved.row.exit_id
            self.rows[self.rows.index(moved.row)] = _changed(
                moved.row,
                pass_no=moved.pass_no,
                exit_id=exit_id,
                assumed=moved.row.assumed and moved.exit is None,
            )
        for placed in found.placed:
            self.disputed.remove(placed.entry)
            self.rows.append(
                Written(
                    id=uuid7(),
                    scan_id=placed.entry.scan_id,
                    pass_no=placed.pass_no,
                    at=placed.entry.at,
                    open=placed.exit is None,
                    exit_id=placed.exit.scan_id if placed.exit else None,
                )
            )
        # The cache takes a visit only if its pass is greater (decision 0004).
        last = max(self.rows, key=lambda row: row.pass_no)
        assert last.pass_no > newest.pass_no
        assert sorted(row.pass_no for row in self.rows) == [
            *range(1, len(self.rows) + 1)
        ]
        assert [row for row in self.rows if row.open] in ([], [last])

    def story(self) -> list[tuple[datetime, UUID | None]]:
        return sorted(
            [(row.at, row.exit_id) for row in self.rows], key=lambda one: one[0]
        )


def _changed(row: Written, **fields: Any) -> Written:
    names = Written.__struct_fields__
    return Written(**({name: getattr(row, name) for name in names} | fields))


def _history(moves: int) -> list[Exit | Disputed]:
    return [
        Exit(uuid7(), at(10 * n)) if n % 2 else disputed(10 * n) for n in range(moves)
    ]


@given(st.integers(1, 7), st.randoms(use_true_random=False), st.booleans())
def test_any_order_of_a_legal_history_ends_as_in_order(
    moves: int, chance: Any, at_once: bool
) -> None:
    history = _history(moves)
    plain, mixed = Server(settling=False), Server()
    for move in history:
        plain.takes(move)
    assert not plain.disputed
    chance.shuffle(history)
    for move in history:
        mixed.takes(move)
        if at_once or chance.random() < 0.3:
            mixed.settles()
    mixed.settles()
    assert mixed.disputed == []
    assert mixed.story() == plain.story()
    assert any(r.open for r in mixed.rows) == any(r.open for r in plain.rows)


def test_without_the_settler_a_conflict_stays() -> None:
    """The control of the property above."""
    first, gone, second = _history(3)
    server = Server(settling=False)
    for move in (first, second, gone):
        server.takes(move)
        server.settles()
    assert server.disputed == [second]


@given(
    st.lists(st.booleans(), min_size=2, max_size=7),
    st.randoms(use_true_random=False),
)
def test_an_illegal_history_keeps_exactly_its_conflicts(
    entries: list[bool], chance: Any
) -> None:
    """One for each entry that found somebody inside, by the doors' times."""
    history: list[Exit | Disputed] = [
        disputed(10 * n) if entry else Exit(uuid7(), at(10 * n))
        for n, entry in enumerate(entries)
    ]
    twice, inside = 0, False
    for move in history:
        twice += inside and isinstance(move, Disputed)
        inside = isinstance(move, Disputed)
    server = Server()
    chance.shuffle(history)
    for move in history:
        server.takes(move)
        server.settles()
    assert len(server.disputed) == twice
