"""The table of checks: deciding and simulating cannot differ."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.admission import checks, decision
from ops.admission.decision import ENTRY, EXIT, simulate
from ops.admission.terms import Terms, earliest, latest, of_ticket
from ops.admission.weighing import weighing
from ops.cache.entry import Exemption, Special, TicketEntry
from tests.golden_cases import TABLE, ask_of, decided, facts_of, plan_of

CASES: list[dict[str, Any]] = TABLE["cases"]
DOOR_MD = [
    "stop", "doors", "code", "event", "state", "ban", "area", "window", "age",
    "registration", "presence", "limits", "payment", "people", "questions",
]  # fmt: skip


def test_the_order_is_that_of_the_rulebook() -> None:
    assert [check.name for check in ENTRY] == DOOR_MD
    assert [check.name for check in EXIT] == ["code", "event", "presence"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_first_failed_check_is_the_answer(case: dict[str, Any]) -> None:
    plan = plan_of(case)
    ask = ask_of(case, plan)
    checked, decision_ = simulate(plan, ask, facts_of(case, plan))
    if "full" not in case:
        assert decision_ == decided(case)
    failed = [one for one in checked if one.failed is not None]
    if ask.scan.override is None:
        if failed:
            assert failed[0].failed == decision_
        else:
            assert decision_.writes
    assert all(one.failed is None for one in checked if not one.reached)


def test_a_simulation_goes_on_after_the_first_failure() -> None:
    case = {
        "name": "everything is wrong",
        "at": "2026-06-12T20:30:00Z",
        "ticket": {"state": "refunded", "ban": {"kind": "banned"}, "due": "1 CAD"},
        "visits": [{"scope": "venue"}],
        "change": {"event": {"doors_state": "closed"}, "stops": [{"id": "s"}]},
    }
    plan = plan_of(case)
    checked, _ = simulate(plan, ask_of(case, plan), facts_of(case, plan))
    failed = [one.name for one in checked if one.failed]
    assert failed == ["stop", "doors", "state", "ban", "window", "presence"]
    assert [one.name for one in checked if not one.reached] == [
        "limits",
        "payment",
        "people",
        "questions",
    ]


def test_an_unknown_code_reaches_nothing_that_needs_a_ticket() -> None:
    case = {"name": "nobody's", "ticket": None}
    plan = plan_of(case)
    checked, _ = simulate(plan, ask_of(case, plan), facts_of(case, plan))
    assert [one.name for one in checked if not one.reached] == DOOR_MD[4:]


def test_a_check_changes_nothing_that_an_earlier_one_reads() -> None:
    """Two runs over the same scales say the same: checks only add."""
    for case in CASES:
        plan = plan_of(case)
        w = weighing(plan, ask_of(case, plan), facts_of(case, plan))
        table = decision._table(w.ask)
        said = [c.holds(w) if decision._reached(w, c) else None for c in table]
        again = [c.holds(w) if decision._reached(w, c) else None for c in table]
        assert said == again, case["name"]


def test_every_check_is_in_the_table() -> None:
    known = {check.holds.__name__ for check in ENTRY}
    written = {
        name
        for name, value in vars(checks).items()
        if callable(value)
        and getattr(value, "__module__", "") == checks.__name__
        and not name.startswith("_")
    }
    assert written - known == {"area_full"}


def test_the_latest_and_the_earliest_of_what_is_given() -> None:
    now = datetime(2026, 6, 12, tzinfo=UTC)
    later = now + timedelta(hours=1)
    assert latest(None, now, later) == later
    assert earliest(None, now, later) == now
    assert latest(None) is earliest() is None


def test_an_exemption_leaves_alone_what_it_does_not_name() -> None:
    terms = Terms(passes_total=2, re_entry="never", min_age=19)
    ticket = TicketEntry(
        1, 1, "valid", 1, "guest", special=Special((Exemption(3, passes_total=5),))
    )
    assert of_ticket(terms, ticket, 4) == terms
    mine = of_ticket(terms, ticket, 3)
    assert (mine.passes_total, mine.re_entry, mine.min_age) == (5, "never", 19)
