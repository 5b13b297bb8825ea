"""When a store that failed counts as back: its probes worked for a while. Pure.

A slow success is a success: on a busy machine a probe takes long now and then, and if
that started the time anew, a healthy store would never count as back. Only a failure
does. But nobody goes back right after a slow probe: the door's own calls are short.
"""

from __future__ import annotations

STEADY_S = 10.0
PROBE_S = 0.5
TRY_S = 2.0
"""A probe that takes longer has failed."""
QUICK_S = 0.3
"""The last write before the way back takes no longer; a call of the door has 0.2 s."""


class Steady:
    """Since when something holds without a gap. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._since: dict[object, float] = {}

    def holds(self, key: object, now_s: float) -> float:
        """It holds now; for how long."""
        return now_s - self._since.setdefault(key, now_s)

    def breaks(self, key: object) -> None:
        """It does not hold."""
        self._since.pop(key, None)

    def clear(self) -> None:
        """Nothing holds."""
        self._since.clear()


def counts_as_back(held_s: float, wanted_s: float, took_s: float) -> bool:
    """Whether a store that has worked for `held_s` may be trusted again.

    Args:
        took_s: how long its last write took.
    """
    return held_s >= wanted_s and took_s <= QUICK_S
