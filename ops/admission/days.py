"""Local times of an event as instants: event days, clocks that jump. Pure.

A local time that occurs twice means the first; one that does not exist means the next
that does (door.md). An event day is named by the local date on which it begins and is
counted in days since 1970, so that it fits a visit in the cache.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EPOCH = date(1970, 1, 1)


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """The zone of this name; a name that nobody knows is UTC, not an error."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def instant(day: date, at: time, where: tzinfo) -> datetime:
    """The instant of a local time, in UTC."""
    local = datetime.combine(day, at.replace(tzinfo=None, fold=0), tzinfo=where)
    found = local.astimezone(UTC)
    if found.astimezone(where).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    # The clock jumped over it: the first instant after the jump, by halves.
    before = int((found - timedelta(days=1)).timestamp())
    after = int(found.timestamp())
    jumped = found.astimezone(where).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, where).utcoffset() == jumped:
            after = middle
        else:
            before = middle
    return datetime.fromtimestamp(after, UTC)


class EventDays:
    """The days of an event: each begins at a local time.

    Args:
        timezone: of the event.
        starts_at: the local time at which a day begins.
    """

    def __init__(self, timezone: str, starts_at: time) -> None:
        self.zone = zone(timezone)
        self.starts_at = starts_at
        self._begin = self._end = datetime.min.replace(tzinfo=UTC)
        self._number = 0

    def number(self, at: datetime) -> int:
        """The event day of an instant, in days since 1970."""
        if not self._begin <= at < self._end:
            day = at.astimezone(self.zone).date() + timedelta(days=1)
            while (begin := instant(day, self.starts_at, self.zone)) > at:
                day -= timedelta(days=1)
            self._number = (day - EPOCH).days
            self._begin, self._end = begin, self.begins(self._number + 1)
        return self._number

    def begins(self, number: int) -> datetime:
        """The instant at which a day begins."""
        return instant(self.date(number), self.starts_at, self.zone)

    def date(self, number: int) -> date:
        """The local date by which a day is called."""
        return EPOCH + timedelta(days=number)

    def last(self, at: time, now: datetime) -> datetime:
        """The newest instant not after `now` at which it was this local time."""
        day = now.astimezone(self.zone).date()
        while (found := instant(day, at, self.zone)) > now:
            day -= timedelta(days=1)
        return found


def age_on(born: date, day: date) -> int:
    """Full years on a local calendar date; born on 29 February: from 1 March on."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
