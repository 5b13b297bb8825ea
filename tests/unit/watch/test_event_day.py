"""Which day of an event it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from ops.admission.days import EventDays
from ops.watch.event_day import EventDay, current, days_of, expected_of

TORONTO = ZoneInfo("America/Toronto")
DAYS = EventDays("America/Toronto", time(6))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A local time of November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=TORONTO)


def test_a_conference_of_three_days_has_three_arrivals() -> None:
    found = days_of(DAYS, at(24, 8), at(24, 9), at(26, 17), {})
    assert [(day.number, day.of, day.date.day) for day in found] == [
        (1, 3, 24),
        (2, 3, 25),
        (3, 3, 26),
    ]
    assert [day.doors_at for day in found] == [at(24, 8), at(25, 8), at(26, 8)]
    assert [day.starts_at for day in found] == [at(24, 9), at(25, 9), at(26, 9)]
    assert [day.ends_at for day in found] == [at(25, 6), at(26, 6), at(26, 17)]


def test_the_programme_says_when_a_later_day_begins() -> None:
    opens = {DAYS.number(at(25, 11)): at(25, 11)}
    second = days_of(DAYS, at(24, 8), at(24, 9), at(25, 17), opens)[1]
    assert (second.doors_at, second.starts_at) == (at(25, 10), at(25, 11))


def test_a_night_is_one_day_and_its_last_hour_no_other() -> None:
    assert len(days_of(DAYS, at(24, 20), at(24, 21), at(25, 2), {})) == 1
    [club] = days_of(DAYS, at(24, 23), at(24, 23), at(25, 7), {})
    assert club.ends_at == at(25, 7)
    # A festival's night begins after midnight, and is still the evening's day.
    found = days_of(DAYS, at(24, 0, 30), at(24, 1), at(26, 2), {})
    assert [day.starts_at for day in found] == [at(24, 1), at(25, 1), at(26, 1)]


def test_clocks_that_jump_move_no_door() -> None:
    """1 November 2026: Toronto's clocks go back, at two in the morning."""
    found = days_of(
        DAYS, at(1, 8) - timedelta(days=1), at(1, 9) - timedelta(days=1), at(1, 17), {}
    )
    assert [day.doors_at.astimezone(TORONTO).hour for day in found] == [8, 8]


def test_before_during_and_after() -> None:
    found = days_of(DAYS, at(24, 8), at(24, 9), at(26, 17), {})
    moments = (at(20, 0), at(24, 12), at(25, 5, 59), at(25, 6), at(26, 23), at(30, 0))
    assert [current(found, now) for now in moments] == [0, 0, 0, 1, 2, 2]


def test_who_came_yesterday_says_who_comes_today() -> None:
    assert expected_of(1000, 0.9, []) == 900
    assert expected_of(400, 0.9, [(500, 1000)]) == 200
    assert expected_of(400, 0.9, [(500, 1000), (100, 200)]) == 200
    # More than might have come (crew on guests' tickets) promise nobody twice.
    assert expected_of(400, 0.9, [(1200, 1000)]) == 400
    assert expected_of(400, 0.9, [(0, 0)]) == 360


@given(
    st.integers(0, 366 * 24 * 60),
    st.integers(0, 600),
    st.integers(1, 20_000),
    st.times(),
)
def test_days_follow_each_other(
    minute: int, lead: int, length: int, begins: time
) -> None:
    """Whatever the event: in order, without gaps, every moment on one of them."""
    doors = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    days = EventDays("America/Toronto", begins.replace(tzinfo=None))
    starts = doors + timedelta(minutes=lead)
    ends = starts + timedelta(minutes=length)
    found: list[EventDay] = days_of(days, doors, starts, ends, {})
    assert [day.number for day in found] == list(range(1, len(found) + 1))
    assert all(day.of == len(found) for day in found)
    assert found[0].doors_at == doors
    for day, after in pairwise(found):
        assert day.ends_at == after.begins_at
        assert day.begins_at <= day.doors_at <= day.starts_at
        assert current(found, day.ends_at) == after.number - 1
    assert isinstance(found[-1].date, date)
