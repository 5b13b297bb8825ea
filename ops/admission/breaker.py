"""A breaker: when to stop asking a store, and when to ask it again. Pure.

Opens after `failures_max` failures in a row or `silence_s` without a success since the
first of them; then one probe a `probe_s` is allowed until a success closes it.
"""

from __future__ import annotations


class Breaker:
    """The state of one store as one process sees it. Times are monotonic seconds."""

    def __init__(
        self, failures_max: int = 2, silence_s: float = 0.15, probe_s: float = 0.5
    ) -> None:
        self._failures_max = failures_max
        self._silence_s = silence_s
        self._probe_s = probe_s
        self._failures = 0
        self._first_failure_s = 0.0
        self._next_probe_s = 0.0
        self.open = False

    def allows(self, now_s: float) -> bool:
        """Whether the store may be asked now; while open, one probe at a time."""
        if not self.open:
            return True
        if now_s < self._next_probe_s:
            return False
        self._next_probe_s = now_s + self._probe_s
        return True

    def succeeded(self) -> None:
        """The store answered: close."""
        self._failures = 0
        self.open = False

    def failed(self, now_s: float, times: int = 1) -> None:
        """The store did not answer, so many times in a row."""
        if self._failures == 0:
            self._first_failure_s = now_s
        self._failures += times
        silent = now_s - self._first_failure_s >= self._silence_s
        if self._failures >= self._failures_max or silent:
            self.open = True
            self._next_probe_s = now_s + self._probe_s
