"""The merge of one file, driven by scripted replies: which lines, when, how often."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from ops.admission import merge
from ops.admission.commands import Down, Poisoned
from ops.admission.lines import ENDED, IN, OUT, Found, Line
from ops.admission.merge import Merged, Merging
from ops.ids import uuid7

EVENT, TICKET = UUID(int=1), UUID(int=2)


def line(state: str = "answered", **more: Any) -> Line:
    ticket = more.pop("ticket_id", TICKET)
    given = {"places": ((1, 1, 1, IN),), "mode": "D", "log": b"{}"} | more
    return Line(uuid7(), EVENT, ticket, 7, b"", 1, state, **given)  # type: ignore[arg-type]


class File:
    """A journal file with its lines; `run` merges it and keeps what was asked."""

    def __init__(self, *lines: Line, rivals: Any = ()) -> None:
        self.lines = list(enumerate(lines))
        self.rivals, self.known = list(rivals), []
        self.known_state = "answered"
        self.known_line: Line | None = None
        self.confirmed = False
        self.owner: Any = "live"
        self.down = False
        self.bad: set[UUID] = set()
        self.wait: set[UUID] = set()
        self.state = Merging()
        self.merged: list[UUID] = []
        self.shown: list[UUID] = []
        self.stale: list[UUID] = []
        self.weighed: list[UUID] = []
        self.astray: list[UUID] = []
        self.unseen: list[UUID] = []
        self.rejected: list[UUID] = []
        self.settled: list[UUID] = []
        self.queued_ms = self.took_ms = 0.0

    def run(self, owner: Any = "live", **more: Any) -> Merging:
        steps = self.state.turn(owner, **more)
        try:
            command = next(steps)
            while True:
                command = steps.send(self._reply(command))
        except StopIteration:
            return self.state

    def _reply(self, command: Any) -> Any:
        match command:
            case merge.ReadLines():
                found = [(seq, one) for seq, one in self.lines if seq > command.seq]
                found = found[: command.limit]
                return [one for _, one in found], found[-1][0] if found else command.seq
            case merge.Rivals():
                return [(scan_id, self.confirmed) for scan_id in self.rivals]
            case merge.Lines():
                known = self.known_line or line(self.known_state)
                return [
                    Found(msgspec.structs.replace(known, scan_id=scan_id), self.owner)
                    for scan_id in self.known
                ]
            case merge.Merge():
                if self.down:
                    return Down("database")
                ids = [
                    UUID(row["s"]) for row in msgspec.json.decode(command.rows.lines)
                ]
                if self.bad & set(ids):
                    return Poisoned()
                waiting = sorted(self.wait & set(ids) - set(command.hasty))
                ids = [scan_id for scan_id in ids if scan_id not in waiting]
                self.merged += ids
                self.shown += command.shown
                self.stale += command.stale
                self.weighed += command.weighed
                self.astray += command.astray
                self.unseen += command.unseen
                return Merged(len(ids), 0, [], waiting, self.queued_ms, self.took_ms)
            case merge.Reject():
                self.rejected.append(command.line.scan_id)
            case merge.Settle():
                self.settled += command.ticket_ids
        return None


def test_what_was_answered_is_merged_and_what_is_pending_waits() -> None:
    answered, shown, pending = line(), line("shown"), line("pending")
    file = File(answered, shown, pending)
    state = file.run()
    assert file.merged == [answered.scan_id, shown.scan_id]
    assert file.shown == [shown.scan_id]
    assert (state.complete, state.pending) == (True, {pending.scan_id: TICKET})


def test_a_dead_owners_pending_entry_was_told_to_nobody() -> None:
    """Of mode D it would be answered; its claim is taken back. An exit counts."""
    entry, exit_ = line("pending"), line("pending", places=((1, 1, 1, OUT),))
    file = File(entry, exit_)
    assert not file.run("live").over
    assert (file.merged, file.settled) == ([], [])
    assert file.run("dead").over
    assert (file.merged, file.settled) == ([exit_.scan_id], [TICKET])


@pytest.mark.parametrize("mode", ["D2", "D"])
def test_a_pending_line_that_a_commit_went_over_is_let_go(mode: str) -> None:
    """Simulated evening 34019: its claim stayed in the cache, and was waited for."""
    pending = line("pending")
    file = File(pending)
    file.known, file.known_line = [pending.scan_id], line("shown", mode=mode)
    state = file.run()
    assert (list(state.pending), file.settled) == (
        ([], [TICKET]) if mode == "D2" else ([pending.scan_id], [])
    )


def test_a_cancelled_line_is_no_admission_but_its_ticket_is_settled() -> None:
    file = File(line("cancelled"))
    file.run("dead")
    assert (file.merged, file.settled) == ([], [TICKET])


def test_it_goes_on_where_a_store_went_away() -> None:
    lines = [line() for _ in range(3)]
    file = File(*lines)
    file.down = True
    assert not file.run().complete
    file.down = False
    assert file.run().complete
    assert file.merged == [one.scan_id for one in lines]


def test_a_long_file_comes_in_many_calls() -> None:
    lines = [line() for _ in range(merge.LINES_PER_READ + 100)]
    file = File(*lines)
    assert file.run().complete
    assert file.merged == [one.scan_id for one in lines]
    assert file.run().merged == len(lines), "nothing comes twice"


def test_only_what_is_in_no_journal_is_taken_over() -> None:
    known, unknown = uuid7(), uuid7()
    file = File(line(), rivals=[known, unknown])
    file.known = [known]
    file.run()
    assert file.stale == [unknown]


def test_a_line_waits_for_a_rival_that_is_being_decided() -> None:
    """Whether a guest saw the rival's green or this one's is known in a moment."""
    rival, green = uuid7(), line("answered")
    file = File(green, rivals=[rival])
    file.known, file.known_state = [rival], "pending"
    assert not file.run().complete
    assert file.merged == []
    file.known_state = "cancelled"
    assert file.run().complete
    assert (file.merged, file.stale) == ([green.scan_id], [rival])


def test_an_exit_waits_for_its_entry_but_not_for_ever() -> None:
    exit_ = line(places=((1, 1, 1, OUT),))
    file = File(exit_)
    file.wait = {exit_.scan_id}
    for _ in range(2 * merge.TURNS_MAX):
        assert not file.run().complete
    assert file.merged == []
    assert file.run().complete
    assert file.merged == [exit_.scan_id]


def test_an_entry_goes_before_the_exit_that_waits_for_it() -> None:
    """Simulated evening 90892: neither came in, and the exit gave up first."""
    exit_, entry = line(places=((1, 1, 2, OUT),)), line(places=((1, 1, 2, IN),))
    file = File(exit_, entry)
    file.wait = {exit_.scan_id, entry.scan_id}
    while not file.merged:
        file.run()
    assert file.merged == [entry.scan_id]


@pytest.mark.parametrize(
    ("mine", "rival", "holds"),
    [
        # It looked after it had written, and found nobody: the commit came later.
        ("D answered", "N answered", False),
        ("D shown", "D2 answered", False),
        ("D answered", "N shown", True),
        ("D answered", "D answered", True),
        ("N answered", "D answered", True),
        ("N answered", "D2 answered", True),
        ("D answered", "D cancelled", False),
        ("D answered", "D pending", False),
    ],
)
@pytest.mark.parametrize("owner", ["dead", "live"])
def test_whose_green_was_seen(mine: str, rival: str, holds: bool, owner: str) -> None:
    mode, state = mine.split()
    file, other = File(line(state, mode=mode), rivals=[uuid7()]), file_rival(rival)
    file.known, file.owner, file.known_line = file.rivals, owner, other
    file.run("dead")
    if other.state == "pending" and owner == "live":
        assert file.merged == [], "it is green or not in a moment"
    else:
        assert file.stale == ([] if holds else file.rivals)
    assert file.astray == []


@pytest.mark.parametrize(
    ("mine", "rival", "unseen"),
    [
        ("N answered", "D answered", True),
        ("D2 answered", "D shown", True),
        ("N shown", "D shown", False),
        ("N answered", "N shown", False),
        ("N answered", "D cancelled", False),
        ("D answered", "D shown", False),
    ],
)
def test_a_commit_behind_a_green_of_mode_d_let_nobody_in(
    mine: str, rival: str, unseen: bool
) -> None:
    mode, state = mine.split()
    one = line(state, mode=mode)
    file = File(one, rivals=[uuid7()])
    file.known, file.known_line = file.rivals, file_rival(rival)
    file.run("dead")
    assert file.unseen == ([one.scan_id] if unseen else [])


def file_rival(said: str, **more: Any) -> Line:
    mode, state = said.split()
    return line(state, mode=mode, **more)


def test_a_row_of_who_was_let_in_elsewhere_is_free() -> None:
    """Its commit was heard of by nobody, and confirmed for the other green."""
    rival = uuid7()
    for places, astray in (
        (((1, 2, 1, IN),), [rival]),
        (((1, 1, 1, IN),), []),
        (((1, 1, 1, OUT),), []),
    ):
        file = File(line(), rivals=[rival])
        file.known, file.known_line = [rival], file_rival("D shown", places=places)
        file.run()
        assert (file.weighed, file.astray) == ([rival], astray)


def test_one_bad_line_stops_no_other() -> None:
    lines = [line() for _ in range(9)]
    file = File(*lines)
    file.bad = {lines[4].scan_id}
    state = file.run()
    assert file.rejected == [lines[4].scan_id]
    assert set(file.merged) == {one.scan_id for one in lines} - file.bad
    assert state.complete


def test_who_took_over_comes_after_the_others() -> None:
    first = line(takes=uuid7())
    second = line()
    file = File(first, second)
    file.run()
    assert file.merged == [second.scan_id, first.scan_id]


def test_the_places_of_a_line() -> None:
    both = line(places=((1, 1, 0, OUT), (2, 1, 0, ENDED), (1, 1, 2, IN)))
    made = merge.rows([both])
    (row,) = msgspec.json.decode(made.lines)
    assert (row["s"], row["pl"]) == (str(both.scan_id), True)
    opens, closes = (msgspec.json.decode(one) for one in (made.opens, made.closes))
    assert [(o["s"], o["sc"], o["n"], o["p"]) for o in opens] == [(row["s"], 1, 1, 2)]
    assert [(c["sc"], c["must"], c["as"]) for c in closes] == [
        (1, True, False),
        (2, False, True),
    ]


def test_a_call_brings_one_line_of_a_ticket() -> None:
    """What stands between two lines of a ticket may be in another file."""
    one, two = UUID(int=11), UUID(int=12)
    lines = [line(ticket_id=t) for t in (one, two, one, None, None, one)]
    waves = merge.waves(lines)
    assert [[lines.index(x) for x in wave] for wave in waves] == [
        [0, 1, 3, 4],
        [2],
        [5],
    ]


def test_who_waits_for_a_line_that_is_not_answered_yet_waits_on() -> None:
    exit_ = line(places=((1, 1, 1, OUT),))
    file = File(exit_)
    file.wait = {exit_.scan_id}
    for _ in range(merge.TURNS_MAX * 2):
        file.run(held=frozenset([TICKET]))
    assert file.merged == []
    for _ in range(merge.TURNS_MAX * 2):
        file.run(stalled=False)
    assert file.run().complete


@pytest.mark.parametrize(
    ("queued", "took", "size"),
    [
        (0.0, 25.0, merge.LINES_PER_CALL * 2),
        (0.0, 5.0, merge.LINES_PER_CALL * 2),
        (0.0, 100.0, merge.LINES_PER_CALL // 2),
        (20.0, 20.0, merge.LINES_PER_CALL // 2),
        (20.0, 500.0, merge.LINES_PER_CALL_MIN),
    ],
)
def test_a_call_is_as_long_as_the_door_can_wait(
    queued: float, took: float, size: int
) -> None:
    file = File(*(line(ticket_id=uuid7()) for _ in range(merge.LINES_PER_CALL)))
    file.queued_ms, file.took_ms = queued, took
    assert file.run().size == size
