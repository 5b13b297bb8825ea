"""What an upload means: whoever was let in is in, whoever was turned away is out."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ops.admission import upload
from ops.admission.outcome import Decision
from ops.admission.scan import DoorDecision
from tests.golden_cases import TABLE, ask_of, decided, facts_of, plan_of

FULL = "no place: how many fit"
CASES = {case["expect"]["verdict"]: case for case in reversed(TABLE["cases"])}


def brought(case: dict[str, Any], door: DoorDecision | None, **scan: Any) -> Decision:
    plan = plan_of(case)
    ask = ask_of(case, plan)
    changed = msgspec.structs.replace(ask.scan, offline=True, door=door, **scan)
    ask = msgspec.structs.replace(ask, scan=changed)
    return upload.decided(plan, ask, facts_of(case, plan))


@pytest.mark.parametrize("verdict", ["refused", "hold"])
def test_turned_away_writes_nothing(verdict: Any) -> None:
    case = CASES["admitted"]
    assert decided(case).writes
    made = brought(case, DoorDecision(verdict, "too_early"))
    assert made.verdict == verdict
    assert not made.writes
    wanted = {"refused": "too_early", "hold": "needs_supervisor"}
    assert made.reason == wanted[verdict], "a word of another verdict is not taken"


def test_let_in_asks_no_limit() -> None:
    full = next(c for c in TABLE["cases"] if c["name"] == FULL)
    assert decided(full).reason == "area_full"
    made = brought(full, DoorDecision("admitted", "ok"))
    assert (made.verdict, made.past_limits) == ("admitted", True)


def test_what_the_rules_refuse_stays_refused() -> None:
    case = CASES["refused"]
    assert brought(case, DoorDecision("admitted", "ok")) == decided(case)


def test_a_live_scan_and_a_dry_run_are_decided_as_ever() -> None:
    case = CASES["admitted"]
    assert brought(case, None) == decided(case)
    door = DoorDecision("refused", "too_early")
    assert brought(case, door, dry_run=True) == decided(case)
