"""When the next turn of a job is due. Pure.

A job is due at an instant. Only a job that follows a wall clock (`daily_at` in the
event's zone) has to know of daylight saving: a local time that occurs twice means the
first, one that does not exist means the next that does (docs of the door).
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

BACKOFF_S_FIRST, BACKOFF_S_MAX = 2.0, 300.0


def instant(day: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The instant of a local time on the day of `day`, in UTC."""
    local = datetime.combine(day.date(), at, zone).replace(fold=0)
    there = local.astimezone(UTC)
    if there.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return there
    # In the gap: fold=0 reads it with the offset from before, which is as far behind
    # the gap's end as the time lies behind its beginning. The end is the first minute
    # that exists.
    first = there
    while first.astimezone(zone).utcoffset() == there.astimezone(zone).utcoffset():
        first -= timedelta(minutes=1)
    return first + timedelta(minutes=1)


def next_daily(after: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The next instant later than `after` at which it is `at` in the zone."""
    day = after.astimezone(zone)
    due = instant(day, at, zone)
    while due <= after:
        day = datetime.combine(day.date() + timedelta(days=1), time(12), zone)
        due = instant(day, at, zone)
    return due


def next_turn(
    due: datetime, now: datetime, every_s: int | None, args: dict[str, object]
) -> datetime | None:
    """When a job that was done now is due again; None: never.

    Turns that were missed while nothing ran are not made up for one by one.
    """
    if "daily_at" in args:
        zone = ZoneInfo(str(args["zone"]))
        return next_daily(now, time.fromisoformat(str(args["daily_at"])), zone)
    if every_s is None:
        return None
    missed = max(0, int((now - due).total_seconds() // every_s))
    return due + timedelta(seconds=every_s * (missed + 1))


def after_failure(now: datetime, attempts: int) -> datetime:
    """When a job that failed is tried again."""
    pause_s = min(BACKOFF_S_MAX, BACKOFF_S_FIRST * 2 ** min(attempts, 10))
    return now + timedelta(seconds=pause_s)
