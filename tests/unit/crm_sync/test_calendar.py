"""When a job is due again, across both changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.crm_sync.calendar import after_failure, instant, next_daily, next_turn

TORONTO = ZoneInfo("America/Toronto")
ZONES = [TORONTO, ZoneInfo("Europe/Paris"), ZoneInfo("Australia/Lord_Howe"), UTC]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_a_time_that_occurs_twice_is_the_first() -> None:
    assert instant(utc(2026, 11, 1), time(1, 30), TORONTO) == utc(2026, 11, 1, 5, 30)


def test_a_time_that_does_not_exist_is_the_next_that_does() -> None:
    assert instant(utc(2026, 3, 8), time(2, 30), TORONTO) == utc(2026, 3, 8, 7)


def test_six_in_the_morning_stays_six_when_the_clocks_change() -> None:
    before = next_daily(utc(2026, 3, 7, 0), time(6), TORONTO)
    after = next_daily(before, time(6), TORONTO)
    assert before == utc(2026, 3, 7, 11)
    assert after == utc(2026, 3, 8, 10)
    assert after - before == timedelta(hours=23)


@given(
    st.integers(0, 3 * 365 * 24 * 60),
    st.times().map(lambda t: t.replace(microsecond=0)),
    st.sampled_from(ZONES),
)
def test_there_is_one_a_day_and_it_is_later(minute, at, zone) -> None:
    after = utc(2025, 1, 1) + timedelta(minutes=minute)
    due = next_daily(after, at, zone)
    assert timedelta(0) < due - after <= timedelta(hours=25)
    following = next_daily(due, at, zone)
    gap = following - due
    assert timedelta(hours=22) < gap < timedelta(hours=26)
    assert following.astimezone(zone).date() - due.astimezone(zone).date() == timedelta(
        days=1
    )


def test_missed_turns_are_not_made_up_one_by_one() -> None:
    due, now = utc(2026, 5, 1, 12), utc(2026, 5, 1, 12, 7, 30)
    assert next_turn(due, now, 60, {}) == utc(2026, 5, 1, 12, 8)
    assert next_turn(due, due, 60, {}) == utc(2026, 5, 1, 12, 1)
    assert next_turn(due, now, None, {}) is None


def test_a_daily_job_follows_the_wall_clock() -> None:
    args: dict[str, object] = {"daily_at": "06:00", "zone": "America/Toronto"}
    assert next_turn(utc(2026, 3, 7, 11), utc(2026, 3, 7, 11, 1), None, args) == utc(
        2026, 3, 8, 10
    )


@pytest.mark.parametrize(("attempts", "pause_s"), [(0, 2), (3, 16), (50, 300)])
def test_a_failure_waits_longer_each_time(attempts: int, pause_s: int) -> None:
    now = utc(2026, 5, 1)
    assert after_failure(now, attempts) == now + timedelta(seconds=pause_s)
