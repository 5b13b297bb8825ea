"""The order of an emergency's steps, and who may take them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ops.emergency.steps import Person, State, next_steps, refusal
from ops.ids import uuid7

AT = datetime(2026, 11, 22, 21, tzinfo=UTC)
DANA, SAM = Person(uuid7()), Person(None, uuid7())


def state(**fields: Any) -> State:
    known = {
        "drill": False,
        "two_people": False,
        "started_at": AT,
        "started_by": DANA.user_id,
        "stopped_at": AT,
    }
    return State(**{**known, **fields})


@pytest.mark.parametrize("step", ["freeze", "publish", "all_clear", "reopen", "close"])
def test_nothing_follows_nothing(step: Any) -> None:
    assert refusal(None, step, DANA) == "no_emergency"
    assert refusal(state(closed_at=AT), step, DANA) == "no_emergency"
    assert refusal(None, "start", DANA) is None


def test_people_are_told_to_leave_before_there_is_a_list() -> None:
    assert refusal(state(), "publish", DANA) is None
    assert refusal(state(published_at=AT), "freeze", DANA) is None
    assert refusal(state(published_at=AT), "publish", DANA) is None


def test_a_second_person_publishes_where_that_is_set() -> None:
    both = state(two_people=True)
    assert refusal(both, "publish", DANA) == "needs_second_person"
    assert refusal(both, "publish", SAM) is None
    assert refusal(state(), "publish", DANA) is None  # control: not set
    by_sam = state(
        two_people=True, started_by=None, started_operator_id=SAM.operator_id
    )
    assert refusal(by_sam, "publish", SAM) == "needs_second_person"
    assert "publish" not in next_steps(both, DANA)


def test_the_all_clear_opens_no_door() -> None:
    assert refusal(state(frozen_at=AT), "reopen", DANA) == "clear_first"
    assert refusal(state(cleared_at=AT), "reopen", DANA) is None
    assert refusal(state(cleared_at=AT), "close", DANA) == "reopen_first"
    assert refusal(state(cleared_at=AT, reopened_at=AT), "close", DANA) is None
    assert refusal(state(cleared_at=AT, drill=True), "close", DANA) is None
    assert refusal(state(), "close", DANA) == "clear_first"


def test_nobody_is_let_in_again_who_is_not_on_a_list() -> None:
    clear = state(cleared_at=AT)
    assert refusal(clear, "reopen", DANA, readmit=True) == "freeze_first"
    assert refusal(clear, "freeze", DANA) == "already_clear"
    frozen = state(cleared_at=AT, frozen_at=AT)
    assert refusal(frozen, "reopen", DANA, readmit=True) is None
    assert refusal(frozen, "freeze", DANA) is None  # again changes nothing


def test_the_page_offers_what_may_be_done() -> None:
    assert next_steps(None, DANA) == ["start"]
    assert next_steps(state(), DANA) == ["freeze", "publish", "all_clear"]
    assert next_steps(state(frozen_at=AT, cleared_at=AT), DANA) == ["reopen"]
    assert next_steps(state(drill=True, cleared_at=AT), DANA) == ["close"]
