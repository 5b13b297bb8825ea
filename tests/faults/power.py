"""A power cut, as far as one machine can play it: what no fsync covered is gone.

`kill -9` loses nothing that was written: the kernel has it. Here each process notes
beside its journal how long the file was when SQLite last waited for the disk
(`synchronous=FULL`), and `cut` shortens the file to that once its owner is dead.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

FULL = 2
_NOTE = ".synced"


def note(journal: Path, database: sqlite3.Connection | None) -> None:
    """A write is over: if SQLite waited for the disk, all of the file is on it."""
    assert database is not None
    (level,) = database.execute("PRAGMA synchronous").fetchone()
    if level >= FULL:
        size = wal(journal).stat().st_size
        beside = journal.with_name(journal.name + _NOTE)
        beside.write_text(str(size))


def cut(folder: Path) -> int:
    """Take from each journal of dead owners what the disk never had; how many bytes."""
    lost = 0
    for journal in folder.glob("*.journal"):
        beside = journal.with_name(journal.name + _NOTE)
        size = int(beside.read_text()) if beside.exists() else 0
        if wal(journal).exists():
            lost += max(0, wal(journal).stat().st_size - size)
            os.truncate(wal(journal), min(size, wal(journal).stat().st_size))
    return lost


def wal(journal: Path) -> Path:
    """The file into which SQLite writes first."""
    return journal.with_name(journal.name + "-wal")
