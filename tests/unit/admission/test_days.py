"""Event days and local times where clocks jump."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.admission.days import EPOCH, EventDays, age_on, instant, zone

TORONTO = "America/Toronto"


FROM = datetime(2020, 1, 1)  # noqa: DTZ001 - the strategy adds the zone
UNTIL = datetime(2032, 1, 1)  # noqa: DTZ001


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "at", "where", "expected"),
    [
        # Spring in Toronto: 02:00 becomes 03:00 on 8 March 2026.
        ("2026-03-08", "01:59", TORONTO, "2026-03-08 06:59"),
        ("2026-03-08", "02:00", TORONTO, "2026-03-08 07:00"),
        ("2026-03-08", "02:30", TORONTO, "2026-03-08 07:00"),
        ("2026-03-08", "02:59", TORONTO, "2026-03-08 07:00"),
        ("2026-03-08", "03:00", TORONTO, "2026-03-08 07:00"),
        ("2026-03-08", "03:01", TORONTO, "2026-03-08 07:01"),
        # Autumn: 01:00 to 02:00 comes twice on 1 November 2026; the first counts.
        ("2026-11-01", "00:59", TORONTO, "2026-11-01 04:59"),
        ("2026-11-01", "01:00", TORONTO, "2026-11-01 05:00"),
        ("2026-11-01", "01:30", TORONTO, "2026-11-01 05:30"),
        ("2026-11-01", "02:00", TORONTO, "2026-11-01 07:00"),
        # Half an hour at Lord Howe, and Paris.
        ("2026-10-04", "02:15", "Australia/Lord_Howe", "2026-10-03 15:30"),
        ("2026-03-29", "02:30", "Europe/Paris", "2026-03-29 01:00"),
        ("2026-10-25", "02:30", "Europe/Paris", "2026-10-25 00:30"),
    ],
)
def test_instant(day: str, at: str, where: str, expected: str) -> None:
    found = instant(date.fromisoformat(day), time.fromisoformat(at), zone(where))
    assert found == utc(expected)


def test_a_zone_that_nobody_knows_is_utc() -> None:
    assert zone("Mars/Olympus") is UTC


@pytest.mark.parametrize(
    ("starts_at", "at", "expected"),
    [
        ("06:00", "2026-06-12 09:59", "2026-06-11"),
        ("06:00", "2026-06-12 10:00", "2026-06-12"),
        # The day begins at 01:30 the first time; 01:15 the second time is within it.
        ("01:30", "2026-11-01 05:29", "2026-10-31"),
        ("01:30", "2026-11-01 05:30", "2026-11-01"),
        ("01:30", "2026-11-01 06:15", "2026-11-01"),
        # The day begins at a time that does not exist: with the next that does.
        ("02:30", "2026-03-08 06:59", "2026-03-07"),
        ("02:30", "2026-03-08 07:00", "2026-03-08"),
    ],
)
def test_event_day(starts_at: str, at: str, expected: str) -> None:
    days = EventDays(TORONTO, time.fromisoformat(starts_at))
    assert days.date(days.number(utc(at))).isoformat() == expected


@given(
    st.datetimes(FROM, UNTIL, timezones=st.just(UTC)),
    st.times(),
    st.sampled_from([TORONTO, "Europe/Paris", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
def test_an_instant_lies_in_its_day(at: datetime, starts_at: time, where: str) -> None:
    days = EventDays(where, starts_at)
    number = days.number(at)
    assert days.begins(number) <= at < days.begins(number + 1)
    assert number == days.number(at)  # from the kept window
    assert abs((at.date() - EPOCH).days - number) <= 2


@given(
    st.datetimes(FROM, UNTIL, timezones=st.just(UTC)),
    st.times(),
)
def test_the_last_time_is_less_than_two_days_ago(at: datetime, of: time) -> None:
    last = EventDays(TORONTO, time(6)).last(of, at)
    assert timedelta(0) <= at - last <= timedelta(hours=26)


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        ("2007-06-12", "2026-06-12", 19),
        ("2007-06-13", "2026-06-12", 18),
        ("2008-02-29", "2027-02-28", 18),
        ("2008-02-29", "2027-03-01", 19),
    ],
)
def test_age(born: str, day: str, years: int) -> None:
    assert age_on(date.fromisoformat(born), date.fromisoformat(day)) == years
