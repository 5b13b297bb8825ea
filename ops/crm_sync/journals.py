"""The sweeper: removes journal files that nobody needs any more.

A file may go when its owner is gone, every line of it stands in PostgreSQL, every
admission of it is confirmed or its event is over, and the merge has told the cache of
all that came to nothing: then the journal has nothing to add to the record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from ops import log
from ops.admission import journals
from ops.crm_sync import statements
from ops.db.engine import Database

_logger = log.get(__name__)


class Sweeper:
    """Looks after the journal folder of this machine."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        removed: Callable[[Path], None] = lambda _: None,
        owes: Callable[[Path], bool] = lambda _: False,
    ) -> None:
        self._database = database
        self._folder = folder
        self._removed = removed
        self._owes = owes

    async def sweep(self) -> int:
        """Remove what is merged; how many files that were."""
        removed = 0
        for path in await asyncio.to_thread(journals.orphans, self._folder):
            if self._owes(path):
                continue
            lines = await asyncio.to_thread(journals.read, path)
            ids = [line.scan_id for line in lines if not line.void]
            found = await self._database.pool.fetch(statements.LOGGED, ids)
            missing = len(set(ids)) - len(found)
            if missing:
                _logger.info("journal_not_merged", file=path.name, missing=missing)
                continue
            waiting = await self._database.pool.fetchval(statements.UNCONFIRMED, ids)
            if waiting:
                continue
            await asyncio.to_thread(journals.remove, path)
            self._removed(path)
            removed += 1
        return removed
