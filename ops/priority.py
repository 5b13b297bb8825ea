"""The doors go first: how a process steps back on a busy machine.

A storm of screens that come back may take what is left of a core, never what a scan
waits for. Niceness says so to the kernel; where Linux shares the cores out between
sessions (autogroup), it counts within a session only, so that a process which leads a
session of its own (as a child of the supervisor does) says it for the session as well.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")
NICENESS_MAX = 19


def step_back(niceness: int) -> int:
    """Let processes of normal priority go first; the niceness that holds now.

    Never the other way: who was started with more keeps it. Where the system does not
    allow it, everything stays as it was.

    Args:
        niceness: 0 to 19; at 5 the kernel gives three times as much to others, and a
            quarter of a core to this process even if all cores are wanted.
    """
    wanted = min(niceness, NICENESS_MAX) - os.nice(0)
    if wanted > 0:
        with suppress(OSError):
            os.nice(wanted)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            AUTOGROUP.write_text(str(niceness))
    return os.nice(0)
