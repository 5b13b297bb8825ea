"""Moving the times of an event to other days, by the wall clock of its place. Pure.

What began at 18:30 begins at 18:30 again, whatever the clocks did between: the move is
a number of days and seconds of local time, not of UTC. A local time that occurs twice
means the first; one that does not exist means the next that does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec


class Shift(msgspec.Struct, frozen=True):
    """From one start to another, both at this place."""

    timezone: str
    by: timedelta

    @classmethod
    def between(cls, timezone: str, before: datetime, after: datetime) -> Shift:
        """The move that takes `before` to `after`, counted in local time."""
        zone = ZoneInfo(timezone)
        return cls(timezone, _wall(after, zone) - _wall(before, zone))

    def __call__(self, at: datetime) -> datetime:
        """The moved time, in UTC."""
        zone = ZoneInfo(self.timezone)
        return local(_wall(at, zone) + self.by, zone)


def local(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment when the clocks of the place show this (naive) time, in UTC."""
    found = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _wall(found, zone) != wall:
        # Skipped in spring: the clocks go from the gap's beginning to its end.
        before = wall.replace(tzinfo=zone, fold=1).utcoffset()
        after = wall.replace(tzinfo=zone, fold=0).utcoffset()
        assert before is not None
        assert after is not None
        gap = abs(after - before)
        step = timedelta(minutes=1)
        at = wall.replace(second=0, microsecond=0)
        while gap > timedelta(0):
            at, gap = at + step, gap - step
            found = at.replace(tzinfo=zone, fold=0).astimezone(UTC)
            if _wall(found, zone) == at:
                break
    return found


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)
