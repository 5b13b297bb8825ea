"""Which day of an event it is, and when its doors open: what a forecast is about. Pure.

A conference of three days has three arrivals. A day is an event day of door.md; hours
that hang over from the night before (a party until seven) are no day of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from ops.admission.days import EventDays, instant

TAIL: Final = timedelta(hours=3)
"""What ends so soon after a day has begun is the end of the day before."""
LEAD_MAX: Final = timedelta(hours=6)
"""Doors open at most so long before the beginning; what is more is a build-up."""
DAYS_MAX: Final = 60


class EventDay(msgspec.Struct, frozen=True):
    """A day of an event, the `number`-th of `of`.

    People count on it from `begins_at` to `ends_at`; its doors open at `doors_at`, its
    programme begins at `starts_at`.
    """

    number: int
    of: int
    date: date
    begins_at: datetime
    doors_at: datetime
    starts_at: datetime
    ends_at: datetime


def days_of(
    days: EventDays,
    doors_at: datetime,
    starts_at: datetime,
    ends_at: datetime,
    openings: Mapping[int, datetime],
) -> list[EventDay]:
    """All days of an event in order, at least one.

    Args:
        openings: when the first session of an event day begins, by its number; where
            none is known a day begins at the local time of the first one.
    """
    first = days.number(doors_at)
    last = max(first, days.number(ends_at))
    if last > first and ends_at - days.begins(last) <= TAIL:
        last -= 1
    last = min(last, first + DAYS_MAX - 1)
    lead = min(max(timedelta(0), starts_at - doors_at), LEAD_MAX)
    at = starts_at.astimezone(days.zone).time()
    found = []
    for number in range(first, last + 1):
        begins, ends = days.begins(number), days.begins(number + 1)
        doors, starts = doors_at, starts_at
        if number > first:
            local = days.date(number)
            if at < days.starts_at:  # after midnight is still the same day
                local += timedelta(days=1)
            starts = openings.get(number) or instant(local, at, days.zone)
            doors = max(begins, starts - lead)
        if number == first:
            begins = min(begins, doors_at)
        if number == last:
            ends = max(ends_at, doors)
        found.append(
            EventDay(
                number - first + 1,
                last - first + 1,
                days.date(number),
                begins,
                doors,
                starts,
                ends,
            )
        )
    return found


def current(found: list[EventDay], now: datetime) -> int:
    """The place in the list of the day that it is: the first before, the last after."""
    place = 0
    for at, day in enumerate(found):
        if now >= day.begins_at:
            place = at
    return place


def expected_of(valid: int, show_rate: float, before: list[tuple[int, int]]) -> float:
    """People who are expected on a day.

    Args:
        valid: people whose tickets let them in on it.
        show_rate: of the event, for a first day.
        before: (people who came, people who might have) on each day before.
    """
    might = sum(people for _, people in before)
    if not might:
        return valid * show_rate
    return valid * min(1.0, sum(came for came, _ in before) / might)
