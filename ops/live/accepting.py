"""How many handshakes a live process takes a second. Pure.

A handshake costs some hundred microseconds of CPU, a look-up and a snapshot. Thousands
that come back in the same second would take the core from the doors beside them; who is
too many is answered 503 before any of that and comes again with jitter.
"""

from __future__ import annotations


class Bucket:
    """So many a second, and a burst after a quiet time.

    Args:
        per_s: how fast it fills.
        burst: how many it holds at most; it begins full.
    """

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._left, self._at_s = burst, 0.0

    def take(self, now_s: float) -> bool:
        """Whether one more may come now."""
        self._left = min(
            self._burst, self._left + max(0.0, now_s - self._at_s) * self._per_s
        )
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
