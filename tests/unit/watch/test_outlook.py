"""What screens are told of an evening."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ops.ids import uuid7
from ops.watch.outlook import Evening, curve_of, outlook

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def evening(doors: float, starts: float, ends: float, **more: Any) -> Evening:
    """Times in minutes from now."""
    moments = (NOW + timedelta(minutes=m) for m in (doors, starts, ends))
    values = {
        "inside": 0,
        "capacity": None,
        "expected": 90.0,
        "leaving": 0.0,
        "tickets": 100,
        **more,
    }
    return Evening(*moments, **values)


def test_no_more_come_than_there_are_tickets() -> None:
    """A rush that the curve does not know: twice as many in a tenth of the time."""
    rush = [(float(minute), 18) for minute in range(5)]
    told = outlook(evening(-5, 55, 300), rush, [], [], 300, NOW)
    assert told["entered"] == 90
    assert told["total"]["high"] <= 100
    assert all(high <= 100 for _, _, _, high in told["points"])
    # Somebody without a ticket of the count does not turn it around.
    more = [(0.0, 130)]
    told = outlook(evening(-5, 55, 300), more, [], [], 300, NOW)
    assert told["total"] == {"low": 130, "mid": 130, "high": 130}


def test_the_usual_curve_follows_the_evenings_own_length() -> None:
    hours, _ = curve_of(evening(0, 90, 600), [])
    assert 80 < hours.when(0.82) < 100
    club, _ = curve_of(evening(0, 0, 300), [])
    assert 50 < club.when(0.82) < 70
    minutes, _ = curve_of(evening(0, 1, 2.5), [])
    assert 0.8 < minutes.when(0.82) < 1.2


def test_a_gate_gets_its_share_and_its_basis() -> None:
    came = [(float(minute), 2) for minute in range(30)]
    gate = {
        "id": uuid7(),
        "name": "North",
        "entered": 20,
        "lanes": 1,
        "service_s": 4.0,
        "gaps": 12,
        "queue": None,
        "tries": [0, 0, 0, 1, 1, 2, 2],
    }
    quiet = {
        **gate,
        "name": "South",
        "entered": None,
        "lanes": None,
        "service_s": None,
        "gaps": None,
        "tries": None,
    }
    told = outlook(evening(-30, 30, 300), came, [], [gate, quiet], 300, NOW)
    north, south = told["gates"]
    assert (north["share"], north["basis"], north["service_s"]) == (1.0, "scans", 4.0)
    assert (south["share"], south["basis"], south["lanes_needed"]) == (0.0, "idle", 0)
    assert told["basis"] == "default"
    past = [[(float(minute), 3) for minute in range(60)]]
    assert outlook(evening(-30, 30, 300), came, past, [], 300, NOW)["basis"] == "past"


def test_when_it_is_full() -> None:
    came = [(float(minute), 1) for minute in range(30)]
    told = outlook(
        evening(-30, 30, 300, inside=30, capacity=60), came, [], [], 300, NOW
    )
    assert told["full"] is not None
    assert told["full"]["low"] <= told["full"]["at"]
    room = outlook(
        evening(-30, 30, 300, inside=30, capacity=600), came, [], [], 300, NOW
    )
    assert room["full"] is None
