"""From rows to observations, where a choice is made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ops.ids import uuid7
from ops.watch import observing
from ops.watch.evaluate import Observation
from ops.watch.rules import RULES, standard
from ops.watch.staffing import Planned, SignedOn, staffing

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
GATE, OTHER = uuid7(), uuid7()


def pair(who: str, apart_s: float, walk_s: int | None = None) -> dict[str, Any]:
    return {
        "who": who,
        "ticket_id": None,
        "scan_id": uuid7(),
        "first_scan": uuid7(),
        "gate_id": GATE,
        "first_gate": OTHER,
        "apart_s": apart_s,
        "walk_s": walk_s,
    }


def test_the_fastest_pair_of_each_code_and_none_that_one_can_walk() -> None:
    rows = [
        pair("a", 50),
        pair("a", 12.34),
        pair("a", 40),
        pair("b", 61),
        pair("c", 200, 300),
        pair("d", 50, 30),
        pair("e", -0.2),
    ]
    found = observing.fast(rows, standard(RULES["two_gates_fast"]))
    values = {one.subject: (one.value, one.limit) for one in found}
    assert values == {"a": (12.3, 60), "c": (200, 300), "e": (0.0, 60)}


def event(**changes: Any) -> dict[str, Any]:
    return {
        "doors_at": NOW - timedelta(hours=1),
        "ends_at": NOW + timedelta(hours=3),
        "doors_state": "open",
        "waiting_s": None,
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "is_open"),
    [
        ({}, True),
        ({"doors_state": "last_entry"}, True),
        ({"doors_state": "held"}, False),
        ({"doors_at": NOW + timedelta(minutes=1)}, False),
        ({"ends_at": NOW - timedelta(minutes=1)}, False),
    ],
)
def test_when_the_doors_let_anybody_in(changes: dict[str, Any], is_open: bool) -> None:
    assert observing.moment(event(**changes), NOW).doors_open == is_open


def rules(found: list[Observation]) -> list[str]:
    return [one.rule for one in found]


def test_the_journal_and_a_cold_cache_are_two_things() -> None:
    assert rules(observing.sync(event(), "D")) == ["sync_behind", "journal_mode"]
    for mode in ("N", None):
        assert rules(observing.sync(event(), mode)) == ["sync_behind"]


def test_the_machine_that_is_furthest_behind_is_named_in_mode_d_alone() -> None:
    rows = [{"name": "hall", "behind_s": 47.9}, {"name": "tent", "behind_s": 0.2}]
    [one] = observing.journals(rows, "D")
    assert (one.rule, one.value, one.args) == (
        "journal_behind",
        45,
        {"machine": "hall"},
    )
    for mode in ("N", None):
        assert observing.journals(rows, mode) == []
    assert observing.journals([], "D") == []
    # A clock that was set back is no time in which somebody waited.
    assert observing.journals([{"name": "hall", "behind_s": -3.0}], "D")[0].value == 0


def test_a_few_refusals_among_many_entries_are_no_burst() -> None:
    def minute(entered: int, refused: int) -> dict[str, Any]:
        return {
            "id": GATE,
            "state": "open",
            "minute": 1,
            "entered": entered,
            "refused": refused,
            "tried": entered + refused,
        }

    when = observing.Moment(NOW, True)
    assert "refusal_burst" not in rules(observing.paces([minute(60, 12)], when))
    assert "refusal_burst" in rules(observing.paces([minute(30, 12)], when))


def test_a_table_is_one_party_whoever_of_it_comes() -> None:
    seat_map = uuid7()

    def guest(people: int) -> dict[str, Any]:
        return {
            "ticket_id": uuid7(),
            "gate_id": GATE,
            "people": people,
            "admits": people,
            "list_id": None,
            "host_user_id": None,
            "owner_id": None,
            "vip": False,
            "seat_map_id": seat_map,
            "row_number": 7,
            "section_name": "Balcony",
        }

    [party] = observing.arrivals([guest(2), guest(1)])
    assert (party.value, party.args["table"]) == (3, 7)
    assert "host_id" not in party.args
    # Who looks after the account of any of them is the host of all.
    looks_after = uuid7()
    [party] = observing.arrivals([guest(2), {**guest(1), "owner_id": looks_after}])
    assert (party.value, party.args["host_id"]) == (3, str(looks_after))
    assert observing.places([], 5) == []


def test_no_limit_no_share() -> None:
    area = {
        "id": uuid7(),
        "kind": "zone",
        "capacity": None,
        "inside": 4,
        "session_id": None,
    }
    assert observing.places([area], 5) == []
    venue = {**area, "kind": "venue"}
    assert {one.value for one in observing.places([venue], 5)} == {80.0}


@pytest.mark.parametrize(
    ("on", "missing"),
    [
        ([], 1),
        ([("Zoë", GATE)], 0),
        ([("Dana", GATE)], 0),  # stands in: the gate is not short
        ([("Zoë", uuid7())], 1),  # somewhere else
    ],
)
def test_a_shift_is_missing_where_nobody_stands(
    on: list[tuple[str, UUID]], missing: int
) -> None:
    who = {"Zoë": uuid7(), "Dana": uuid7()}
    began, ends = NOW - timedelta(minutes=7), NOW + timedelta(hours=1)
    found = staffing(
        [(GATE, "North")],
        [Planned(uuid7(), who["Zoë"], "Zoë", GATE, began, ends)],
        [SignedOn(who[name], name, "Phone 7", gate) for name, gate in on],
        NOW,
    )
    seen = observing.shifts(found, NOW)
    assert [(one.rule, one.value) for one in seen] == [("shift_missing", 7)] * missing
