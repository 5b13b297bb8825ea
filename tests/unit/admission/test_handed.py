"""What is noted of answers that were handed out: each by who reads it."""

from __future__ import annotations

from typing import Any

import pytest

from ops.admission import commands
from ops.admission.batch import Batch
from ops.admission.handed import note
from tests.unit.admission.test_degraded import FIRST, NOW, item_of, plan_of, seen

SAVED = commands.CommitReply([], [], [], {})


def decided(mode: str, said: str = "") -> commands.Item:
    """A first entry, admitted in this mode."""
    item = item_of(FIRST)
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
        "ReadCache": seen(FIRST, mode=mode),
        "Commit": SAVED,
        "Claim": commands.ClaimReply([None]),
        "Recall": [],
        "Look": [],
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
