"""The merge: journals of this machine into PostgreSQL, and the cache told of conflicts.

Every sync process merges the folder of its own machine, whoever leads. A batch of the
door goes between two calls, and a call is as long as leaves the door half of the time
(`ops.admission.merge`): a merge of a whole outage slows the door without stopping it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from ops import log, metrics
from ops.admission import finish, merge
from ops.admission.commands import Down, Poisoned
from ops.admission.finish import CacheVisit
from ops.admission.journals import Journals, machine_name
from ops.admission.merge import Merging
from ops.admission.plan import Plan
from ops.cache import keys
from ops.cache.client import CACHE_ERRORS, Cache
from ops.cache.entry import (
    provisional_ticket,
    unpack_ticket,
    unpack_visit,
    visit_key,
)
from ops.cache.scripts import FINISH
from ops.crm_sync import rows as packed
from ops.crm_sync import statements
from ops.crm_sync.plans import read_plan
from ops.db.engine import Database
from ops.db.pools import DATABASE_ERRORS
from ops.errors import StoreUnavailable

TICKETS_PER_CALL = 100
VISITS_PER_CALL = 1_000
PAUSE_S = 0.001
"""Between two calls: the door's next batch goes first."""
CALL_TIMEOUT_S = 5.0

_POISON = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
_UNREADABLE = (sqlite3.Error, OSError, ValueError, msgspec.MsgspecError)
_decode = msgspec.json.Decoder(merge.Merged).decode
_logger = log.get(__name__)


class Merger:
    """Merges the journals of a folder; not for two tasks at once."""

    def __init__(self, database: Database, cache: Cache, folder: Path) -> None:
        self._database, self._cache, self._folder = database, cache, folder
        self._journals = Journals(folder)
        self._files: dict[str, Merging] = {}
        self._numbers: dict[UUID, int] = {}
        self._machine: UUID | None = None
        self._settle: dict[UUID, set[UUID]] = {}
        self._warm: set[UUID] = set()
        """Events that are not over and have, or had, a cache to be told."""
        self._searched: set[UUID] = set()
        """Events in N whose cache was searched for claims of before."""
        self._stalled = True
        self._unread: set[str] = set()
        self._turn = asyncio.Lock()

    def stop(self) -> None:
        """Close the files."""
        self._journals.close()

    async def turn(self) -> int:
        """Merge what is there; how many lines came in.

        Then it is written down up to which epoch of each event in mode D nothing of
        this machine is missing.

        Raises:
            StoreUnavailable, asyncpg.PostgresError, OSError: a store is away; what was
                merged stays merged.
        """
        async with self._turn:
            modes = await self._modes()
            in_d = {e: epoch for e, (mode, epoch) in modes.items() if mode == "D"}
            if in_d:
                await self._register()
            merged, complete = 0, False
            while True:
                again = await self._brought()
                merged += again
                complete = all(one.complete for one in self._files.values())
                # What waits for a line of another file waits for it no longer.
                if complete or not again:
                    break
            if merged:
                metrics.merged_lines_total.inc(merged)
                _logger.info("journals_merged", lines=merged)
            if complete:
                await self._tell_epochs(in_d)
                await self._search(modes)
                await self._settle_quiet(modes)
            return merged

    async def all(self) -> bool:
        """A turn; whether all is in that can be read in this machine's journals.

        Raises:
            As `turn`.
        """
        await self.turn()
        return all(
            one.complete or name in self._unread for name, one in self._files.items()
        )

    async def _brought(self) -> int:
        """All files once, to their ends; how many lines came in."""
        paths = await asyncio.to_thread(self._paths)
        for name in self._files.keys() - {path.name for path in paths}:
            self.forget(self._folder / name)  # swept by another process, or by hand
        held = frozenset(
            ticket
            for one in self._files.values()
            for ticket in one.pending.values()
            if ticket is not None
        )
        brought = 0
        for path in paths:
            brought += await self._file(path, held)
        self._stalled = not brought
        return brought

    async def _search(self, modes: dict[UUID, tuple[str, int]]) -> None:
        """Once an event is back in N: all claims that are left, to be settled.

        Of a line that its disk lost with the power only the place in the cache is
        left. No file names it any more, and its ticket would be answered 503 for ever.
        """
        redis: Any = self._cache.redis
        self._searched &= {e for e, (mode, _) in modes.items() if mode == "N"}
        for event_id, (mode, _) in modes.items():
            if mode != "N" or event_id in self._searched:
                continue
            try:
                async for key, packed in redis.hscan_iter(
                    keys.visits(event_id), count=VISITS_PER_CALL
                ):
                    if (ticket := provisional_ticket(key, packed)) is not None:
                        self._settle.setdefault(event_id, set()).add(ticket)
            except CACHE_ERRORS as error:
                raise StoreUnavailable("cache") from error
            self._searched.add(event_id)

    async def _settle_quiet(self, before: dict[UUID, tuple[str, int]]) -> None:
        """Settle the events that were in N all the while: nothing claims there."""
        waiting = {
            ticket for one in self._files.values() for ticket in one.pending.values()
        }
        for event_id, tickets in list(self._settle.items()):
            now = (await self._modes([event_id])).get(event_id)
            if now is None or now[0] != "N" or before.get(event_id) != now:
                continue
            ready = sorted(tickets - waiting)[:TICKETS_PER_CALL]
            if ready and await self._settle_some(event_id, ready):
                tickets.difference_update(ready)
            if not tickets:
                del self._settle[event_id]

    def owes(self, path: Path) -> bool:
        """Whether a file is not merged to its end, or the cache not told of all of it.

        What nobody was let in by (`Line.void`) may hold a place in the cache; only the
        file says so, if this process ends before it is settled.
        """
        state = self._files.get(path.name)
        unsettled = any(self._settle.get(event_id) for event_id in self._warm)
        return state is None or not state.over or unsettled

    def forget(self, path: Path) -> None:
        """A file that was removed."""
        self._journals.forget(path)
        self._files.pop(path.name, None)

    def _paths(self) -> list[Path]:
        return self._journals.paths() if self._folder.is_dir() else []

    async def _file(self, path: Path, held: frozenset[UUID]) -> int:
        """One file to its end, or to the first thing that does not work; how many lines
        came in. (The file may be swept away meanwhile: it counts all the same.)"""
        state = self._files.setdefault(path.name, Merging())
        before = state.merged
        state.complete = False
        self._unread.discard(path.name)
        try:
            owner = await asyncio.to_thread(self._journals.owner, path)
            steps = state.turn(owner, held, stalled=self._stalled)
            command = next(steps)
            while True:
                command = steps.send(await self._execute(path, command))
        except StopIteration:
            pass
        except _UNREADABLE as error:
            # One broken file must not stop the others; the event stays in D.
            self._journals.forget(path)
            self._unread.add(path.name)
            _logger.error("journal_unreadable", error=log.scrubbed(error))
        return state.merged - before

    async def _execute(self, path: Path, command: Any) -> Any:
        match command:
            case merge.ReadLines():
                return await asyncio.to_thread(
                    self._journals.since,
                    path,
                    command.seq,
                    command.limit,
                    every_mode=command.every_mode,
                )
            case merge.Lines():
                return await asyncio.to_thread(self._journals.recall, command.scan_ids)
            case merge.Rivals():
                found = await self._ask(
                    self._database.back.fetch,
                    statements.RIVALS,
                    command.event_id,
                    command.opens,
                )
                return found if isinstance(found, Down) else list(map(tuple, found))
            case merge.Merge():
                return await self._merge(command)
            case merge.Reject():
                return await self._reject(command.line)
            case merge.Settle():
                known = self._settle.setdefault(command.event_id, set())
                known.update(command.ticket_ids)
                return None
        raise AssertionError(f"no way to execute {type(command).__name__}")

    async def _ask(self, call: Any, *args: Any) -> Any:
        try:
            return await call(*args, timeout=CALL_TIMEOUT_S)
        except _POISON:
            raise
        except DATABASE_ERRORS as error:
            _logger.warning("merge_interrupted", error=log.scrubbed(error))
            return Down("database")

    async def _merge(self, command: merge.Merge) -> Any:
        number = await self._number(command.event_id)
        if number is None:
            # The event is gone with all that it had: there is no record to merge into.
            return merge.Merged(0, 0)
        await asyncio.sleep(PAUSE_S)
        try:
            reply = await self._ask(
                self._database.back.fetchval,
                statements.MERGE,
                command.event_id,
                number,
                datetime.now(UTC),
                command.rows.lines,
                command.rows.opens,
                command.rows.closes,
                command.shown,
                command.stale,
                command.hasty,
                command.weighed,
                command.astray,
                command.unseen,
            )
        except _POISON as error:
            _logger.error("merge_poisoned", error=log.scrubbed(error))
            return Poisoned()
        return reply if isinstance(reply, Down) else _decode(reply)

    async def _number(self, event_id: UUID) -> int | None:
        if event_id not in self._numbers:
            number = await self._database.back.fetchval(
                "SELECT no FROM events WHERE id = $1", event_id, timeout=CALL_TIMEOUT_S
            )
            if number is None:
                return None
            self._numbers[event_id] = number
        return self._numbers[event_id]

    async def _reject(self, line: Any) -> Any:
        _logger.error("journal_line_rejected", scan_id=str(line.scan_id))
        return await self._ask(
            self._database.back.execute,
            statements.REJECTED,
            line.event_id,
            line.scan_id,
            {"ticket_id": str(line.ticket_id), "places": line.places},
        )

    async def _settle_some(self, event_id: UUID, tickets: list[UUID]) -> bool:
        """Replace provisional visits of these tickets by what is on record."""
        try:
            plan = await read_plan(self._database.back, event_id)
            found = await self._database.back.fetch(
                statements.VISITS_BY_TICKET, event_id, tickets, timeout=CALL_TIMEOUT_S
            )
        except DATABASE_ERRORS as error:
            _logger.warning("merge_not_told", error=log.scrubbed(error))
            return False
        if plan is None:
            return True
        on_record = {
            visit_key(row["k"], row["sc"], row["n"]): finish.cache_visit(
                plan, row["k"], row["sc"], row["n"], packed.visit(row), row["type_no"]
            )
            for row in found
        }
        try:
            claimed = await self._claimed(plan, event_id, tickets)
            told = [
                on_record.get(field) or finish.gone(visit)
                for field, visit in claimed.items()
            ]
            if not told:
                return True
            args = finish.settling(b"settle", told)
            await self._cache.call(
                FINISH,
                keys.finish(event_id),
                args,
            )
        except StoreUnavailable as error:
            _logger.warning("merge_not_told", error=log.scrubbed(error))
            return False
        return True

    async def _claimed(
        self, plan: Plan, event_id: UUID, tickets: list[UUID]
    ) -> dict[bytes, CacheVisit]:
        """The provisional visits of these tickets in the cache, by field."""
        places = [
            (ticket_id, scope.no, person)
            for ticket_id in tickets
            for scope in plan.scopes.values()
            for person in range(1, PERSONS_MAX + 1)
        ]
        redis: Any = self._cache.redis
        try:
            entries = await redis.hmget(
                keys.tickets(event_id), [ticket_id.bytes for ticket_id in tickets]
            )
            visits = await redis.hmget(
                keys.visits(event_id), [visit_key(*place) for place in places]
            )
        except CACHE_ERRORS as error:
            raise StoreUnavailable("cache") from error
        types = {
            ticket_id: unpack_ticket(entry).type_no if entry else 0
            for ticket_id, entry in zip(tickets, entries, strict=True)
        }
        return {
            visit_key(*place): finish.cache_visit(plan, *place, visit, types[place[0]])
            for place, one in zip(places, visits, strict=True)
            if one and (visit := unpack_visit(one)).provisional
        }

    async def _modes(
        self, events: list[UUID] | None = None
    ) -> dict[UUID, tuple[str, int]]:
        """Modes and epochs of warm events, as the cache says."""
        if events is None:
            rows = await self._database.back.fetch(
                statements.ACTIVE_EVENTS, timeout=CALL_TIMEOUT_S
            )
            events = [row["id"] for row in rows]
            found = await self._modes(events)
            self._warm = self._warm & set(events) | found.keys()
            return found
        found = {}
        for event_id in events:
            try:
                mode = await read_mode(self._cache, event_id)
            except StoreUnavailable:
                return {}  # the merge goes on; that it is complete is told later
            if mode is not None:
                found[event_id] = mode
        return found

    async def _register(self) -> None:
        """Make this machine one that an event waits for on its way back to N."""
        if self._machine is None:
            name = await asyncio.to_thread(machine_name, self._folder)
            self._machine = await self._database.back.fetchval(
                statements.MACHINE, name, timeout=CALL_TIMEOUT_S
            )

    async def _tell_epochs(self, modes: dict[UUID, int]) -> None:
        for event_id, epoch in modes.items():
            await self._database.back.execute(
                statements.MERGED_UP_TO,
                self._machine,
                event_id,
                epoch,
                timeout=CALL_TIMEOUT_S,
            )


PERSONS_MAX = 10
"""Persons of a ticket whose provisional visits are looked for; larger groups are told
by the drain, for their rows exist."""


async def read_mode(cache: Cache, event_id: UUID) -> tuple[str, int] | None:
    """Mode and epoch of an event; None if the cache is cold.

    Raises:
        StoreUnavailable: the cache is away.
    """
    redis: Any = cache.redis
    try:
        mode, epoch, state = await redis.hmget(
            keys.meta(event_id), ["mode", "epoch", "state"]
        )
    except CACHE_ERRORS as error:
        raise StoreUnavailable("cache") from error
    if state != b"ready" or mode is None:
        return None
    return mode.decode(), int(epoch)
