"""How a role tells its supervisor that it serves.

The supervisor hands each child the write end of a pipe; the child arms it at its start
and tells once it listens. Without a supervisor nothing is armed and telling does
nothing. One pipe a process, so the state is the module's.
"""

from __future__ import annotations

import os
from contextlib import suppress

_fd: int | None = None


def arm(fd: int) -> None:
    """Remember the pipe on which `tell` will say that this process is ready."""
    global _fd
    os.set_inheritable(fd, False)
    _fd = fd


def tell() -> None:
    """Say once that this process serves; safe without a supervisor and twice."""
    global _fd
    if _fd is not None:
        fd, _fd = _fd, None
        with suppress(OSError):  # a supervisor that died has nobody to tell
            os.write(fd, b"1")
        os.close(fd)
