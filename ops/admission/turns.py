"""One process of a machine at a time has a scan id in hand.

The same request may come to two processes at once (a retry at the other one while the
first still answers). What lets nobody through is written behind its answer, so the
second could decide it anew by what has happened meanwhile: one id, two answers. So a
process takes a scan's turn before it decides and gives it back when its answer stands
where the others look; they wait for it, and find it.

The kernel keeps the turns, as locks on single bytes of files in the journal folder: a
process that dies gives all of its turns back, and nothing is written. Not for several
machines: they share no folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import struct
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from ops import log

WAIT_S = 0.4
"""A process that stands still keeps its turns: who waited so long goes on without."""
AGAIN_S = 0.005
FILES = 16
"""The kernel looks through all locks of a file for each new one."""

_SET = getattr(fcntl, "F_OFD_SETLK", fcntl.F_SETLK)
"""Of the open file where the kernel knows that, else of the whole process."""
_lock = struct.Struct("hhqqi")
_logger = log.get(__name__)


class Turns:
    """The turns of this process; each scan id is taken once, by its desk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[int] | None = None

    def stop(self) -> None:
        """Give all turns back."""
        for file in self._files or ():
            os.close(file)
        self._files = []

    async def take(self, scan_id: UUID) -> bool:
        """Wait for the turn of a scan; False: it did not come, nobody has it for us."""
        if self._tried(scan_id):
            return True
        until_s = time.monotonic() + WAIT_S
        while time.monotonic() < until_s:
            await asyncio.sleep(AGAIN_S)
            if self._tried(scan_id):
                return True
        return False

    def give(self, scan_ids: Iterable[UUID]) -> None:
        """Their answers stand; those whose turn it was not may be among them."""
        for scan_id in scan_ids:
            file = self._file(scan_id)
            if file is not None:
                with contextlib.suppress(OSError):
                    fcntl.fcntl(file, _SET, _byte(fcntl.F_UNLCK, scan_id))

    def _tried(self, scan_id: UUID) -> bool:
        file = self._file(scan_id)
        if file is None:
            return True
        try:
            fcntl.fcntl(file, _SET, _byte(fcntl.F_WRLCK, scan_id))
        except OSError as error:
            # A folder that knows no locks: the door goes on without.
            return error.errno not in (errno.EAGAIN, errno.EACCES)
        return True

    def _file(self, scan_id: UUID) -> int | None:
        if self._files is None:
            self._files = self._open()
        return self._files[scan_id.bytes[15] % FILES] if self._files else None

    def _open(self) -> list[int]:
        made: list[int] = []
        place = self._folder / "turns"
        try:
            place.mkdir(parents=True, exist_ok=True)
            for number in range(FILES):
                path = place / str(number)
                made.append(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            for file in made:
                os.close(file)
            _logger.error("turns_not_opened", error=log.scrubbed(error))
            return []
        return made


def _byte(kind: int, scan_id: UUID) -> bytes:
    """A lock of one byte; ids are random in their second half."""
    at = int.from_bytes(scan_id.bytes[8:], "big") >> 2
    return _lock.pack(kind, os.SEEK_SET, at, 1, 0)
