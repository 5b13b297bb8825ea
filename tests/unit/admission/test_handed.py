"""What is noted of answers that were handed out: each by who reads it."""

from __future__ import annotations

from typing import Any

import pytest

from ops.admission import commands
from ops.admission.batch import Batch
from ops.admission.handed import note
from tests.unit.admission.test_degraded import CASES, FIRST, NOW, item_of, plan_of, seen

LEAVES = CASES["a refunded ticket may leave"]
SAVED = commands.CommitReply([], [], [], {})


def decided(
    mode: str,
    *,
    case: dict[str, Any] = FIRST,
    claim: Any = None,
    look: Any = None,
    journal: Any = None,
) -> commands.Item:
    """A scan that was decided in this mode, a first entry if nothing else is said."""
    item = item_of(case)
    batch = Batch(
        plan_of({}),
        [item],
        NOW,
        use_cache=True,
        ask_again=lambda _, item: item.ask,
        logs=[],
        confirms=[],
    )
    replies: dict[str, Any] = {
        "ReadCache": seen(case, mode=mode),
        "Commit": SAVED,
        "Claim": claim or commands.ClaimReply([None]),
        "Recall": [],
        "Look": look or [],
        "Journal": journal,
        "Finish": "ok",
    }
    steps = batch.run()
    asked = next(steps)
    try:
        while True:
            asked = steps.send([replies.get(type(one).__name__) for one in asked])
    except StopIteration:
        return item


def test_a_green_of_postgresql_is_confirmed_there() -> None:
    """And in the journal: a kill may take the confirmation."""
    item = decided("N")
    noted, scan_id = note([(item, True)]), item.ask.scan.id
    assert (noted.confirms, noted.marks) == ([scan_id], [(scan_id, "shown")])
    assert noted.shown


@pytest.mark.parametrize(("reached", "state"), [(True, "shown"), (False, "answered")])
def test_a_green_of_the_journal_is_marked_there(reached: bool, state: str) -> None:
    """Never confirmed by its id: an earlier commit of the scan may have other rows."""
    item = decided("D")
    noted = note([(item, reached)])
    assert (noted.confirms, noted.marks) == ([], [(item.ask.scan.id, state)])
    assert bool(noted.shown) is reached


def test_what_nobody_waited_for_is_not_confirmed() -> None:
    noted = note([(decided("N"), False)])
    assert (noted.confirms, noted.marks, noted.shown) == ([], [], [])


@pytest.mark.parametrize(
    ("case", "becomes"), [(FIRST, "cancelled"), (LEAVES, "answered")]
)
def test_a_line_whose_scan_got_no_answer_is_closed(
    case: dict[str, Any], becomes: str
) -> None:
    """Nobody was told that he is in; who left has left. Left open it would be waited
    for while the process lives: by the retry elsewhere, and by the merge for ever."""
    item = decided("D", case=case, look=commands.Down("journal"))
    assert item.error == "unavailable"
    assert note([(item, False)]).marks == [(item.ask.scan.id, becomes)]


def test_a_line_that_was_taken_back_needs_no_mark() -> None:
    item = decided("D", claim=commands.Down("cache"))
    assert item.error == "unavailable"
    assert note([(item, False)]).marks == []


def test_a_line_that_may_be_on_the_disk_is_closed() -> None:
    """The disk was late: whether it has the line is unknown."""
    item = decided("D", journal=commands.Down("journal"))
    assert item.error == "unavailable"
    assert note([(item, False)]).marks == [(item.ask.scan.id, "cancelled")]
