"""How a role tells its supervisor that it serves, and settles before the first guest.

The supervisor hands each child the write end of a pipe; the child arms it at its start
and tells once it listens. Without a supervisor nothing is armed and telling does
nothing. One pipe a process, so the state is the module's.
"""

from __future__ import annotations

import gc
import os
from contextlib import suppress

YOUNG_MAX = 10_000
"""New objects before the collector looks at them; a batch at the door makes thousands
that are gone with it."""

_fd: int | None = None


def arm(fd: int) -> None:
    """Remember the pipe on which `tell` will say that this process is ready."""
    global _fd
    os.set_inheritable(fd, False)
    _fd = fd


def tell() -> None:
    """Say once that this process serves; safe without a supervisor and twice.

    What was made until now stays until the end: the collector need not go through it
    again and again. In the api role that was 0.2 s in which nobody was let in.
    """
    global _fd
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, *gc.get_threshold()[1:])
    if _fd is not None:
        fd, _fd = _fd, None
        with suppress(OSError):  # a supervisor that died has nobody to tell
            os.write(fd, b"1")
        os.close(fd)
