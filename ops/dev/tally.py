"""Counts what the server lost or let in twice, against the crowd's own logs.

The handhelds wrote down what they were told; PostgreSQL holds what is true. A green
answer without its row is a loss; a ticket with more people inside than it admits, or
more greens than it had passes, was let in twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec

from ops.dev.crowd import folder
from ops.dev.handheld import Note, read

_ADMISSIONS = """
SELECT scan_id, count(*) AS people FROM check_ins
WHERE event_id = $1 AND undone_at IS NULL GROUP BY scan_id
"""
_LOGGED = "SELECT scan_id, verdict, reason FROM ops.scan_log WHERE event_id = $1"
_EXITS = """
SELECT DISTINCT exit_scan_id FROM check_ins
WHERE event_id = $1 AND exit_scan_id IS NOT NULL
"""
# More people of a ticket in one scope than it admits, whatever the keys say.
_CROWDED = """
SELECT count(*) FROM (
    SELECT c.ticket_id FROM check_ins c JOIN tickets t ON t.id = c.ticket_id
    WHERE c.event_id = $1 AND c.checked_out_at IS NULL AND c.undone_at IS NULL
    GROUP BY c.ticket_id, c.scope_id, t.admits HAVING count(*) > t.admits
) AS crowded
"""


class Tally(msgspec.Struct):
    """The result; the last five are zero if every promise was kept."""

    sent: int = 0
    answered: int = 0
    admitted: int = 0
    exited: int = 0
    refused: int = 0
    held: int = 0
    unanswered: int = 0
    lost: int = 0
    """Green or blue on a screen, and no row."""
    contradicted: int = 0
    """The stored verdict of a scan is another one than was shown."""
    doubled: int = 0
    """Two different first answers for one scan id."""
    crowded: int = 0
    """Tickets with more people inside than they admit."""
    phantoms: int = 0
    """Rows whose scan nobody sent."""

    @property
    def kept(self) -> bool:
        """Whether nothing was lost and nobody came in twice."""
        return not (
            self.lost + self.contradicted + self.doubled + self.crowded + self.phantoms
        )


async def count(
    connection: asyncpg.Connection, data_dir: Path, event_id: UUID
) -> Tally:
    """Compare the logs of an event's crowd with the database.

    Exact beside a running demo as well: what was answered is read before the rows,
    what was sent after them.
    """
    logs = folder(data_dir, event_id)
    tally = Tally()
    shown: dict[UUID, tuple[str | None, str | None]] = {}
    for note in _notes(logs):
        if note.op == "answer" and note.status == 200:
            _compare(tally, note, shown)
    rows = await connection.fetch(_ADMISSIONS, event_id)
    admissions = {row["scan_id"] for row in rows}
    stored = {
        row["scan_id"]: (row["verdict"], row["reason"])
        for row in await connection.fetch(_LOGGED, event_id)
    }
    exits = {row["exit_scan_id"] for row in await connection.fetch(_EXITS, event_id)}
    tally.crowded = await connection.fetchval(_CROWDED, event_id)
    sent = {note.id for note in _notes(logs) if note.op == "invoke"}
    for scan_id, (verdict, reason) in shown.items():
        green, blue = verdict == "admitted", verdict == "exited"
        # Coming back while inside, and leaving from outside, move nobody.
        moved = reason == "ok"
        if moved and (
            (green and scan_id not in admissions) or (blue and scan_id not in exits)
        ):
            tally.lost += 1
        if (green or blue) and stored.get(scan_id) != (verdict, reason):
            tally.contradicted += 1
    words = Counter(verdict for verdict, _ in shown.values())
    tally.sent, tally.answered = len(sent), len(shown)
    tally.unanswered = len(sent - shown.keys())
    tally.admitted, tally.exited = words["admitted"], words["exited"]
    tally.refused, tally.held = words["refused"], words["hold"]
    tally.phantoms = len((admissions | exits) - sent)
    return tally


def _notes(logs: Path) -> Iterator[Note]:
    for path in sorted(logs.glob("*.jsonl")) if logs.exists() else ():
        yield from read(path)


def _compare(
    tally: Tally, note: Note, shown: dict[UUID, tuple[str | None, str | None]]
) -> None:
    answer = (note.verdict, note.reason)
    if shown.setdefault(note.id, answer) != answer:
        tally.doubled += 1
