"""Time: one clock, handed down, so that tests can set it.

Outcomes never depend on comparing two machines' clocks (invariant I12): wall time is
data, `monotonic_s` measures durations inside one process.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """The clock of a process."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary start; never steps back."""
        return time.monotonic()


class FixedClock(Clock):
    """A clock that stands until it is moved; for tests and dry runs."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self._monotonic_s = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def move(self, to: datetime) -> None:
        """Set the time; the monotonic part moves by the same, never backwards."""
        self._monotonic_s += max(0.0, (to - self.at).total_seconds())
        self.at = to
