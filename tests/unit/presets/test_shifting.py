"""Moved times follow the clocks of the place, also over a change of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.presets.shifting import Shift, local

TORONTO = ZoneInfo("America/Toronto")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TORONTO)


def test_half_past_six_stays_half_past_six_over_the_end_of_summer_time() -> None:
    shift = Shift.between(
        "America/Toronto", at("2026-10-25T19:00"), at("2026-11-08T19:00")
    )
    moved = shift(at("2026-10-25T18:30"))
    assert moved == at("2026-11-08T18:30")
    # The negative control: a move counted in UTC is an hour off.
    by = at("2026-11-08T19:00").astimezone(UTC) - at("2026-10-25T19:00").astimezone(UTC)
    assert by != timedelta(days=14)


def test_a_time_that_does_not_exist_is_the_next_that_does() -> None:
    # On 8 March 2026 the clocks go from 2:00 to 3:00.
    found = local(datetime(2026, 3, 8, 2, 30), TORONTO)  # noqa: DTZ001
    assert found.astimezone(TORONTO).isoformat() == "2026-03-08T03:00:00-04:00"


def test_a_time_that_occurs_twice_is_the_first() -> None:
    found = local(datetime(2026, 11, 1, 1, 30), TORONTO)  # noqa: DTZ001
    assert found == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "zone", ["Europe/Paris", "Asia/Kolkata", "Australia/Lord_Howe"]
)
@given(
    start=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
    days=st.integers(-700, 700),
    after=st.integers(-72 * 60, 72 * 60),
)
def test_the_start_lands_where_it_was_asked_for(
    zone: str, start: datetime, days: int, after: int
) -> None:
    place = ZoneInfo(zone)
    before = local(start.replace(microsecond=0), place)
    wanted = local(start.replace(microsecond=0) + timedelta(days=days), place)
    shift = Shift.between(zone, before, wanted)
    assert shift(before) == wanted
    # Whatever the clocks did, a moved time shows the same minutes, or lay in a gap.
    moved = shift(before + timedelta(minutes=after))
    assert moved.tzinfo is UTC
