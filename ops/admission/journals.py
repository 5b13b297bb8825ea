"""The journals of this machine, read by all its processes.

A file whose owner lives is locked by it. A file that cannot be read (torn, gone) is
left out and said so once; the merge reports it. Not safe for threads: each user has
one of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import sqlite3
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from ops import log
from ops.admission.lines import Found, Line, Owner, Place
from ops.ids import uuid7

SUFFIX = ".journal"
PER_QUERY = 500
"""Below SQLite's limit of values in one statement."""

_COLUMNS = (
    "scan_id, event_id, ticket_id, epoch, content_hash, at_us, state, places, mode,"
    " takes, log, seq"
)
_places = msgspec.msgpack.Decoder(tuple[Place, ...])
_logger = log.get(__name__)


class Journals:
    """Reads all files of the folder; keeps them open."""

    def __init__(self, folder: Path, own: Path | None = None) -> None:
        self._folder, self._own = folder, own
        self._open: dict[str, sqlite3.Connection] = {}
        self._dead: set[str] = set()
        self._bad: set[str] = set()

    def close(self) -> None:
        """Close all files; reading opens them again."""
        for database in self._open.values():
            database.close()
        self._open.clear()

    def recall(self, scan_ids: list[UUID]) -> list[Found]:
        """Lines of these scans."""
        return self._find("scan_id", scan_ids)

    def look(self, ticket_ids: list[UUID]) -> list[Found]:
        """Lines for these tickets."""
        return self._find("ticket_id", ticket_ids)

    def since(
        self, path: Path, seq: int, limit: int, *, every_mode: bool = True
    ) -> tuple[list[Line], int]:
        """The next lines of a file that were written or changed, and where they end.

        Args:
            every_mode: False leaves out what PostgreSQL had before it was written.

        Raises:
            sqlite3.Error, ValueError: the file cannot be read.
        """
        database = self._file(path.name)
        (end,) = database.execute("SELECT max(seq) FROM line").fetchone()
        only = "" if every_mode else " AND mode = 'D'"
        rows = database.execute(
            f"SELECT {_COLUMNS} FROM line WHERE seq > ?{only} ORDER BY seq LIMIT ?",
            (seq, limit),
        ).fetchall()
        lines = [_line(row) for row in rows]
        if len(rows) == limit:
            return lines, rows[-1][11]
        return lines, max(seq, end if end is not None else seq)

    def paths(self) -> list[Path]:
        """All files, the oldest first."""
        with os.scandir(self._folder) as entries:
            names = [entry.name for entry in entries if entry.name.endswith(SUFFIX)]
        return [self._folder / name for name in sorted(names)]

    def owner(self, path: Path) -> Owner:
        """Who writes this file."""
        if path == self._own:
            return "own"
        if path.name not in self._dead and orphaned(path):
            self._dead.add(path.name)  # nobody takes a file over
        return "dead" if path.name in self._dead else "live"

    def forget(self, path: Path) -> None:
        """Close a file that will be removed."""
        database = self._open.pop(path.name, None)
        if database is not None:
            database.close()

    def _find(self, column: str, keys: list[UUID]) -> list[Found]:
        if not keys:
            return []
        found: list[Found] = []
        for path in self.paths():
            ended = path.name in self._dead
            try:
                lines = lines_of(self._file(path.name), column, keys)
                if lines and not ended and self.owner(path) == "dead":
                    # It died meanwhile: its last lines may say more.
                    lines = lines_of(self._file(path.name), column, keys)
            except (sqlite3.Error, ValueError, msgspec.MsgspecError) as error:
                self.forget(path)
                if path == self._own:
                    raise
                if path.exists() and path.name not in self._bad:
                    self._bad.add(path.name)
                    _logger.error("journal_unreadable", error=log.scrubbed(error))
                continue
            if lines:
                owner = self.owner(path)
                found += [Found(line, owner) for line in lines]
        return found

    def _file(self, name: str) -> sqlite3.Connection:
        database = self._open.get(name)
        if database is None:
            address = f"file:{self._folder / name}?mode=ro"
            database = sqlite3.connect(address, uri=True, check_same_thread=False)
            self._open[name] = database
        return database


def lines_of(database: sqlite3.Connection, column: str, keys: list[UUID]) -> list[Line]:
    """The lines of a file whose `scan_id` or `ticket_id` is one of these."""
    lines: list[Line] = []
    for at in range(0, len(keys), PER_QUERY):
        some = [key.bytes for key in keys[at : at + PER_QUERY]]
        marks = ",".join("?" * len(some))
        rows = database.execute(
            f"SELECT {_COLUMNS} FROM line WHERE {column} IN ({marks})", some
        )
        lines += [_line(row) for row in rows]
    return lines


def machine_name(folder: Path) -> str:
    """The name of the machine that this folder belongs to; made once, then the same."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "machine"
    if not path.exists():  # and the folder may be read-only by now
        with contextlib.suppress(FileExistsError), path.open("x") as new:
            new.write(f"{socket.gethostname()}-{uuid7().hex[-12:]}")
    for _ in range(100):
        name = path.read_text().strip()
        if name:
            return name
        time.sleep(0.01)  # its maker is between making and writing it
    raise OSError(f"{path.name} is empty")


def read(path: Path) -> list[Line]:
    """All lines of a journal file, also while its owner writes."""
    journals = Journals(path.parent)
    try:
        return journals.since(path, -1, -1)[0]
    finally:
        journals.close()


def orphans(folder: Path) -> list[Path]:
    """Journal files whose owner is gone."""
    return [path for path in sorted(folder.glob(f"*{SUFFIX}")) if orphaned(path)]


def orphaned(path: Path) -> bool:
    """Whether the owner of this file is gone."""
    lock = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def remove(path: Path) -> None:
    """Remove a journal file with what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", ".lock"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _line(row: tuple[Any, ...]) -> Line:
    return Line(
        UUID(bytes=row[0]),
        UUID(bytes=row[1]),
        UUID(bytes=row[2]) if row[2] else None,
        row[3],
        row[4],
        row[5],
        row[6],
        _places.decode(row[7]),
        row[8],
        UUID(bytes=row[9]) if row[9] else None,
        row[10],
    )
