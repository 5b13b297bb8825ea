"""Where a package stands: the text that a device gives back as `since`. Pure.

`xmin` is that of the snapshot that the package was read in: every transaction below it
was over and is in the package. A delta brings the current row of all that was touched
by a transaction from `xmin` on, so it may repeat and never misses; ids or times would
miss the transaction that began first and committed last. The system's identifier and
timeline say which history the number belongs to: another database, or this one restored
from a backup, is told apart and answers with a whole package.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

VERSION = "1"
AGE_MAX = timedelta(hours=36)
"""Changes are kept for two days; a cursor older than this gets a whole package."""
KEPT_FOR = timedelta(hours=48)


class Cursor(msgspec.Struct, frozen=True):
    """A place in the history of one database."""

    system: str
    timeline: int
    xmin: int
    made_ms: int

    @classmethod
    def of(cls, row: Any, now: datetime) -> Cursor:
        """From a row of `queries.CURSOR`."""
        made_ms = int(now.timestamp() * 1000)
        return cls(row["system"], row["timeline"], int(row["xmin"]), made_ms)

    @property
    def text(self) -> str:
        """What the device keeps."""
        return ".".join(
            (
                VERSION,
                self.system,
                str(self.timeline),
                str(self.xmin),
                str(self.made_ms),
            )
        )

    def reaches(self, now: Cursor, xmax: int) -> bool:
        """Whether a delta from here to `now` can be told."""
        same = (self.system, self.timeline) == (now.system, now.timeline)
        age = timedelta(milliseconds=now.made_ms - self.made_ms)
        return same and self.xmin <= xmax and timedelta() <= age <= AGE_MAX


def parse(text: str | None) -> Cursor | None:
    """The cursor of a text; None for none, for rubbish and for another version."""
    parts = (text or "").split(".")
    if len(parts) != 5 or parts[0] != VERSION:
        return None
    if not all(part.isascii() and part.isdigit() for part in parts[1:]):
        return None
    if any(len(part) > 20 for part in parts):
        return None
    return Cursor(parts[1], int(parts[2]), int(parts[3]), int(parts[4]))


def made_at(cursor: Cursor) -> datetime:
    """When it was made."""
    return datetime.fromtimestamp(cursor.made_ms / 1000, UTC)
