"""The journal: a file of this process that remembers every green before it is sent.

One SQLite file (WAL) per process incarnation in the machine's journal folder; its
process is the only writer and holds a lock on it, everybody else may read it
(`ops.admission.journals`). In mode N a line costs no fsync and still survives kill -9
(synchronous=NORMAL); in mode D it waits for the disk (FULL). Rules R5 and R10 of the
admission protocol rest on it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from ops import log
from ops.admission.journals import SUFFIX, Journals, lines_of
from ops.admission.lines import LINE_VERSION, Found, Line, State, over
from ops.ids import uuid7

LATE_S = 0.5
"""A disk that takes longer answers no guest in mode D: 503, and the device decides. In
the others the door goes on without the line."""
OPEN_AGAIN_S = 1.0

_SCHEMA = """
CREATE TABLE line (
  seq INTEGER PRIMARY KEY, scan_id BLOB NOT NULL UNIQUE, event_id BLOB NOT NULL,
  ticket_id BLOB, v INTEGER NOT NULL, epoch INTEGER NOT NULL,
  content_hash BLOB NOT NULL, at_us INTEGER NOT NULL, state TEXT NOT NULL,
  places BLOB NOT NULL, mode TEXT NOT NULL, takes BLOB, log BLOB NOT NULL
);
CREATE INDEX line_ticket ON line (ticket_id);
"""
_INSERT = "INSERT OR REPLACE INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_MARK = (
    "UPDATE line SET seq = ?, state = ? WHERE scan_id = ?"
    " AND state IN ('pending', 'answered') AND state <> ?"
)
_encode = msgspec.msgpack.Encoder().encode

Mark = tuple[UUID, State]
"""What became of a line: answered, shown, or cancelled, which nobody was told of."""

Result = TypeVar("Result")
_logger = log.get(__name__)


class Journal:
    """The journal of this process, and its eyes on those of its machine.

    All calls run one after another in a thread of their own; each `append` is one
    transaction. Cancelling one does not undo its lines.

    Args:
        late_s: how long a call may take.
    """

    def __init__(self, folder: Path, late_s: float = LATE_S) -> None:
        self._folder, self.late_s = folder, late_s
        self.path = folder / f"{uuid7()}{SUFFIX}"
        self.journals = Journals(folder, self.path)
        self._lock = -1
        self._seq = 0
        self._synced = False
        self._database: sqlite3.Connection | None = None
        self._open_at_s = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")

    async def start(self) -> None:
        """Create the file, with WAL switched on before anybody can see it.

        A folder that cannot be written is no reason not to serve: without a line nobody
        is green in mode D, but the other modes go on. Whoever writes tries again.
        """
        try:
            await self._run(self._open)
        except (sqlite3.Error, OSError) as error:
            self._open_at_s = time.monotonic() + OPEN_AGAIN_S
            _logger.error("journal_not_opened", error=log.scrubbed(error))

    async def stop(self) -> None:
        """Close the file; its lines stay for the merge. May come twice."""
        if self._database is not None:
            await self._run(self._close)
        self._thread.shutdown()

    async def append(
        self, lines: list[Line], *, synced: bool = False, marks: Sequence[Mark] = ()
    ) -> None:
        """Write the lines of a batch, and states of earlier ones, in one transaction.

        Args:
            synced: return when the disk has them (mode D).

        Raises:
            sqlite3.Error: the disk refused; nothing is written.
            TimeoutError: the disk is too slow; whether it is written is unknown.
        """
        async with asyncio.timeout(self.late_s):
            await self._run(self._write, lines, synced, list(marks))

    async def recall(self, scan_ids: list[UUID]) -> list[Found]:
        """Lines of these scans in the journals of this machine, cancelled ones too.

        Raises:
            sqlite3.Error: the own file cannot be read.
        """
        async with asyncio.timeout(self.late_s):
            return await self._run(self.journals.recall, scan_ids)

    async def look(self, ticket_ids: list[UUID]) -> list[Found]:
        """Lines for these tickets in the journals of this machine.

        Raises:
            sqlite3.Error: the own file cannot be read.
        """
        async with asyncio.timeout(self.late_s):
            return await self._run(self.journals.look, ticket_ids)

    async def _run(self, call: Callable[..., Result], *args: Any) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, call, *args)

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        hidden = self.path.with_suffix(".new")
        hidden.unlink(missing_ok=True)  # of a try that failed
        database = sqlite3.connect(hidden, check_same_thread=False)
        # Two processes that switch WAL on at once get "database is locked" whatever
        # the time limit (core.md item 14): nobody knows this file yet.
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(_SCHEMA)
            database.commit()
        finally:
            database.close()
        if self._lock < 0:
            self._lock = os.open(f"{self.path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.replace(hidden, self.path)
        self._database = sqlite3.connect(
            self.path, check_same_thread=False, isolation_level=None
        )
        self._database.execute("PRAGMA synchronous=NORMAL")

    def _open_again(self) -> None:
        """Once a second, for a folder that could not be written.

        Raises:
            sqlite3.Error, OSError: it still cannot.
        """
        now_s = time.monotonic()
        if now_s < self._open_at_s:
            raise sqlite3.OperationalError("the journal is not open")
        self._open_at_s = now_s + OPEN_AGAIN_S
        self._open()

    def _close(self) -> None:
        assert self._database is not None
        self.journals.close()
        self._database.close()
        self._database = None
        os.close(self._lock)

    def _write(self, lines: list[Line], synced: bool, marks: list[Mark]) -> None:
        if self._database is None:
            self._open_again()
        database = self._database
        assert database is not None
        if synced != self._synced:
            database.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
            self._synced = synced
        seq = self._seq
        rows, states = [], []
        for scan_id, state in marks:
            seq += 1
            states.append((seq, state, scan_id.bytes, state))
        for line in self._over(database, lines):
            seq += 1
            rows.append(_row(seq, line))
        database.execute("BEGIN IMMEDIATE")
        try:
            database.executemany(_MARK, states)
            database.executemany(_INSERT, rows)
        except BaseException:
            database.execute("ROLLBACK")
            raise
        try:
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        self._seq = seq

    def _over(self, database: sqlite3.Connection, lines: list[Line]) -> list[Line]:
        """The lines as they are kept: none is written over a green of its scan."""
        asked = [line.scan_id for line in lines if not line.places]
        before = {one.scan_id: one for one in lines_of(database, "scan_id", asked)}
        kept = [
            over(before[line.scan_id], line) if line.scan_id in before else line
            for line in lines
        ]
        return [line for line in kept if line is not None]


def _row(seq: int, line: Line) -> tuple[object, ...]:
    return (
        seq,
        line.scan_id.bytes,
        line.event_id.bytes,
        line.ticket_id.bytes if line.ticket_id else None,
        LINE_VERSION,
        line.epoch,
        line.content_hash,
        line.at_us,
        line.state,
        _encode(line.places),
        line.mode,
        line.takes.bytes if line.takes else None,
        line.log,
    )
