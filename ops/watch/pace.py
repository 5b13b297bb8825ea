"""The pace of a gate: has it dropped, is it silent? Pure.

door.md: the count of 3 minutes is more than 20 % and 3 sigma under the median of the 10
minutes before; or silence where 10 were expected. (A fifth less from one minute to the
next happens by chance fifteen times an hour.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

RECENT = 3
BEFORE = 10
SIGMAS = 3.0
MINUTES = 45
"""How far back minutes are looked at."""


def drop_percent(minutes: Sequence[int]) -> float:
    """How far the last three minutes are under the ten before, if that is no chance.

    Args:
        minutes: people a minute, the newest first; the newest is a whole minute that
            ends now.
    """
    before = minutes[RECENT : RECENT + BEFORE]
    if len(before) < BEFORE:
        return 0.0
    expected = RECENT * median(before)
    came = sum(minutes[:RECENT])
    if expected <= 0 or came >= expected - SIGMAS * math.sqrt(expected):
        return 0.0
    return 100.0 * (1 - came / expected)


def missed(minutes: Sequence[int]) -> float:
    """How many people were expected while nobody came, at the pace before the silence.

    0 while somebody comes, or where nothing was before the silence.
    """
    silent = next((n for n, people in enumerate(minutes) if people), len(minutes))
    before = minutes[silent : silent + BEFORE]
    if silent == 0 or len(before) < RECENT:
        return 0.0
    return float(round(silent * median(before)))
