"""Taking over an unconfirmed admission: what the engine says, and who may."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from ops.admission.decision import decide
from ops.admission.taking_over import take_over
from ops.admission.weighing import weighing
from tests.golden_cases import TABLE, ask_of, facts_of, named, plan_of

HELD = next(
    case
    for case in TABLE["cases"]
    if case["name"] == "inside, but nobody confirmed that the green was shown"
)
BEFORE = named("scans", "before")


def decided(take_over: UUID | None, role: str = "steward", **visit: Any) -> Any:
    case = HELD | {"visits": [HELD["visits"][0] | visit]}
    plan = plan_of(case)
    ask, facts = ask_of(case, plan), facts_of(case, plan)
    ask = msgspec.structs.replace(
        ask, scan=msgspec.structs.replace(ask.scan, take_over=take_over)
    )
    assert facts.device is not None
    facts.device = msgspec.structs.replace(facts.device, operator_role=role)
    return decide(plan, ask, facts)


def test_a_steward_takes_over_the_scan_that_was_named() -> None:
    made = decided(BEFORE)
    assert (made.verdict, made.reason, made.people) == ("admitted", "ok", 1)
    assert made.takes == BEFORE
    (opened,) = made.opens
    assert (opened.pass_no, opened.primary) == (1, True), "the same pass, no second one"


@pytest.mark.parametrize(
    ("take_over", "role", "visit", "reason"),
    [
        (None, "steward", {}, "unconfirmed"),
        (named("scans", "another"), "steward", {}, "unconfirmed"),
        (BEFORE, "", {}, "unconfirmed"),
        (BEFORE, "steward", {"confirmed": True}, "already_inside"),
    ],
)
def test_nothing_else_is_taken_over(
    take_over: UUID | None, role: str, visit: dict[str, Any], reason: str
) -> None:
    made = decided(take_over, role, **visit)
    assert (made.reason, made.takes) == (reason, None)


def test_only_a_hold_is_replaced() -> None:
    plan = plan_of(HELD)
    w = weighing(plan, ask_of(HELD, plan), facts_of(HELD, plan))
    refused = decided(None, confirmed=True)
    assert take_over(w, refused, 4) is refused


def test_a_ticket_that_is_not_held_is_admitted_as_ever() -> None:
    made = decided(BEFORE, phase="closed", left="2026-06-12T09:20:00Z", confirmed=True)
    assert (made.reason, made.takes, made.opens[0].pass_no) == ("ok", None, 2)
