"""The commands of a batch, executed against the stores and the journal of this process.

The desk itself executes two of them: `Answer`, and `Finish`, beside which it tells the
cache which greens were shown.
"""

from __future__ import annotations

import sqlite3
from typing import Any
from uuid import UUID

from ops import log, metrics
from ops.admission import commands
from ops.admission.commands import Command, Down
from ops.admission.journal import Journal, Mark
from ops.checkin.plans import Plans
from ops.checkin.stores import Stores
from ops.db.pools import DATABASE_ERRORS

JOURNAL_ERRORS = (sqlite3.Error, OSError, TimeoutError)
MARKS_KEPT_MAX = 20_000
"""Of a journal that cannot be written: the newest; their lines may be missing too."""
_logger = log.get(__name__)


class Executor:
    """Executes for one event; remembers states of lines until a line is written."""

    def __init__(
        self, event_id: UUID, stores: Stores, plans: Plans, journal: Journal
    ) -> None:
        self._event_id = event_id
        self._stores, self._plans, self._journal = stores, plans, journal
        self.marks: list[Mark] = []

    async def run(self, command: Command) -> Any:
        """The reply of a command."""
        stores, event_id = self._stores, self._event_id
        match command:
            case commands.ReadCache():
                return await stores.read_cache(event_id, command)
            case commands.ReadDatabase():
                return await stores.read_database(event_id, command)
            case commands.Commit():
                return await stores.commit(command)
            case commands.TakeOver():
                return await stores.take_over(command)
            case commands.Journal():
                return await self._write(command)
            case commands.Recall():
                return await self._read("recall", command.scan_ids)
            case commands.Look():
                return await self._read("look", command.ticket_ids)
            case commands.Claim():
                return await stores.claim(event_id, command)
            case commands.Switch():
                return await stores.switch(event_id, command)
            case commands.LoadPlan():
                return await self._load_plan(command.version)
        raise AssertionError(f"no way to execute {type(command).__name__}")

    async def write_marks(self) -> None:
        """Write states that no line took along; not waited for by anybody."""
        if self.marks:
            await self._write(commands.Journal([], synced=False))

    async def _write(self, command: commands.Journal) -> Any:
        marks, self.marks = self.marks, []
        try:
            with metrics.step_seconds.labels("journal").time():
                await self._journal.append(
                    command.lines,
                    synced=command.synced,
                    marks=[*marks, *command.marks],
                )
        except JOURNAL_ERRORS as error:
            # In N and D2 the rows are committed; without its line a green only misses
            # the net for a database that loses them (rule R5), so the door goes on. In
            # D there is no green without it, nor without the mark that it is answered.
            self.marks = (marks + self.marks)[-MARKS_KEPT_MAX:]
            metrics.store_failures_total.labels("journal").inc()
            _logger.error("journal_failed", error=log.scrubbed(error))
            return Down("journal")
        return None

    async def _read(self, how: str, ids: list[UUID]) -> Any:
        try:
            with metrics.step_seconds.labels("look").time():
                if how == "recall":
                    return await self._journal.recall(ids)
                return await self._journal.look(ids)
        except JOURNAL_ERRORS as error:
            metrics.store_failures_total.labels("journal").inc()
            _logger.error("journal_unread", error=log.scrubbed(error))
            return Down("journal")

    async def _load_plan(self, version: int) -> Any:
        if self._stores.database_breaker.open:
            return Down("database", lasting=True)
        try:
            return await self._plans.load(self._event_id, version)
        except DATABASE_ERRORS as error:
            _logger.warning("plan_not_loaded", error=log.scrubbed(error))
            return Down("database")
