"""The journal: a file of this process that remembers every green before it is sent.

One SQLite file (WAL) per process incarnation in the machine's journal folder; its
process is the only writer and holds a lock on it, everybody else may read it. In mode
N a line costs no fsync and still survives kill -9 (synchronous=NORMAL); rule R5 of the
admission protocol rests on it. Files whose owner is gone and whose lines all stand in
PostgreSQL are removed by `sweep`.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import msgspec

from ops.ids import uuid7

LINE_VERSION = 1
_SUFFIX = ".journal"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS line (
  scan_id BLOB PRIMARY KEY, event_id BLOB NOT NULL, ticket_id BLOB NOT NULL,
  v INTEGER NOT NULL, epoch INTEGER NOT NULL, content_hash BLOB NOT NULL,
  at_ms INTEGER NOT NULL, state TEXT NOT NULL, places BLOB NOT NULL
) WITHOUT ROWID
"""
_INSERT = "INSERT OR REPLACE INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Line(msgspec.Struct, frozen=True, gc=False):
    """One green: a scan, its ticket and the places it took or left.

    `places` is (scope number, person, pass, 1 for in and 0 for out) a person.
    """

    scan_id: UUID
    event_id: UUID
    ticket_id: UUID
    epoch: int
    content_hash: bytes
    at_ms: int
    state: str
    places: tuple[tuple[int, int, int, int], ...]


class Journal:
    """The journal of this process.

    Calls of `append` run one after another in a thread of their own; each is one
    transaction. Cancelling one does not undo its lines.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / f"{uuid7()}{_SUFFIX}"
        self._lock = -1
        self._database: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")

    async def start(self) -> None:
        """Create the file, with WAL switched on before anybody can see it."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._open)

    async def stop(self) -> None:
        """Close the file; its lines stay for the sweep. May come twice."""
        if self._database is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def append(self, lines: list[Line]) -> None:
        """Write the lines of a batch in one transaction.

        Raises:
            sqlite3.Error: the disk refused; the lines are not written.
        """
        await asyncio.get_running_loop().run_in_executor(
            self._thread, self._write, lines
        )

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        hidden = self.path.with_suffix(".new")
        database = sqlite3.connect(hidden, check_same_thread=False)
        # Two processes that switch WAL on at once get "database is locked" whatever
        # the time limit (core.md item 14): nobody knows this file yet.
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(_SCHEMA)
        database.commit()
        database.close()
        self._lock = os.open(f"{self.path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.replace(hidden, self.path)
        self._database = sqlite3.connect(
            self.path, check_same_thread=False, isolation_level=None
        )
        self._database.execute("PRAGMA synchronous=NORMAL")

    def _close(self) -> None:
        assert self._database is not None
        self._database.close()
        self._database = None
        os.close(self._lock)

    def _write(self, lines: list[Line]) -> None:
        assert self._database is not None, "Journal.start() has not been called"
        self._database.execute("BEGIN")
        try:
            self._database.executemany(_INSERT, [_row(line) for line in lines])
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


def _row(line: Line) -> tuple[object, ...]:
    return (
        line.scan_id.bytes,
        line.event_id.bytes,
        line.ticket_id.bytes,
        LINE_VERSION,
        line.epoch,
        line.content_hash,
        line.at_ms,
        line.state,
        msgspec.msgpack.encode(line.places),
    )


def read(path: Path) -> list[Line]:
    """All lines of a journal file, also while its owner writes."""
    lines = []
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        for row in database.execute("SELECT * FROM line"):
            line = Line(
                UUID(bytes=row[0]),
                UUID(bytes=row[1]),
                UUID(bytes=row[2]),
                row[4],
                row[5],
                row[6],
                row[7],
                msgspec.msgpack.decode(
                    row[8], type=tuple[tuple[int, int, int, int], ...]
                ),
            )
            lines.append(line)
    finally:
        database.close()
    return lines


def orphans(folder: Path) -> list[Path]:
    """Journal files whose owner is gone."""
    found = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        lock = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)
        found.append(path)
    return found


def remove(path: Path) -> None:
    """Remove a journal file with what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", ".lock"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
