"""The sweeper: removes journal files that nobody needs any more.

A file may go when its owner is gone and every line of it stands in PostgreSQL: then
the journal has nothing to add to the record.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from ops import log
from ops.admission import journals
from ops.crm_sync import statements
from ops.db.engine import Database

_logger = log.get(__name__)


class Sweeper:
    """Looks after the journal folder of this machine."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    async def sweep(self) -> int:
        """Remove what is merged; how many files that were."""
        removed = 0
        for path in await asyncio.to_thread(journals.orphans, self._folder):
            lines = await asyncio.to_thread(journals.read, path)
            ids = [line.scan_id for line in lines]
            found = await self._database.pool.fetch(statements.LOGGED, ids)
            missing = len(set(ids)) - len(found)
            if missing:
                _logger.error("journal_not_merged", file=path.name, missing=missing)
                continue
            await asyncio.to_thread(journals.remove, path)
            removed += 1
        return removed
