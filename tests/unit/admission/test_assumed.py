"""Which presences end by themselves, also where the clock jumps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.admission.assumed import due
from tests.golden_cases import named, plan_of


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ends(now: str, **change: Any) -> dict[str, datetime]:
    plan = plan_of({"change": change})
    names = {scope.id: scope.name for scope in plan.scopes.values()}
    return {names[one.scope_id]: one.at for one in due(plan, at(now))}


OPENING = {
    "opening": {"starts_at": "2026-06-12T09:00:00Z", "ends_at": "2026-06-12T10:00:00Z"}
}


def test_a_session_ends_with_its_time() -> None:
    assert ends("2026-06-12 09:59:59", scopes=OPENING) == {}
    assert ends("2026-06-12 10:00:00", scopes=OPENING) == {
        "Opening": at("2026-06-12 10:00")
    }


def test_a_session_that_moved_ends_later() -> None:
    later = {"opening": OPENING["opening"] | {"ends_at": "2026-06-12T11:00:00Z"}}
    assert ends("2026-06-12 10:30:00", scopes=later) == {}


def test_an_hour_after_the_event_all_others_end() -> None:
    found = ends("2026-06-12 22:00:00")
    assert set(found.values()) == {at("2026-06-12 21:00")}
    assert {"Venue", "Yard"} & set(found) == {"Venue"}
    assert "Lounge" not in found, "it lies in the venue, and ends with it"


def test_what_ends_takes_along_what_lies_inside() -> None:
    plan = plan_of({})
    venue = next(
        one
        for one in due(plan, at("2026-06-12 22:00"))
        if one.scope_id == named("scopes", "venue")
    )
    assert named("scopes", "pit") in venue.inner


@pytest.mark.parametrize(
    ("local", "now", "expected"),
    [
        # 06:00 in Toronto is 10:00 UTC in summer, 11:00 in winter.
        ("06:00:00", "2026-06-12 09:59", "2026-06-11 10:00"),
        ("06:00:00", "2026-06-12 10:00", "2026-06-12 10:00"),
        # 1 November: 01:30 comes twice, the first counts.
        ("01:30:00", "2026-11-01 05:29", "2026-10-31 05:30"),
        ("01:30:00", "2026-11-01 05:30", "2026-11-01 05:30"),
        ("01:30:00", "2026-11-01 06:30", "2026-11-01 05:30"),
        # 8 March: 02:30 is missing, 03:00 is the next that exists.
        ("02:30:00", "2026-03-08 06:59", "2026-03-07 07:30"),
        ("02:30:00", "2026-03-08 07:00", "2026-03-08 07:00"),
    ],
)
def test_a_local_time(local: str, now: str, expected: str) -> None:
    event = {"starts_at": "2026-01-01T00:00:00Z", "ends_at": "2026-12-31T00:00:00Z"}
    scopes = {"venue": {"exits_assumed_at": local}}
    assert ends(now, event=event, scopes=scopes) == {"Venue": at(expected)}


def test_the_same_moment_says_the_same() -> None:
    plan = plan_of({"change": {"scopes": OPENING}})
    now = at("2026-06-12 12:00")
    assert due(plan, now) == due(plan, now + timedelta(seconds=1))
