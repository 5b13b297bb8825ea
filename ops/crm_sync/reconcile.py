"""The reconciler: compares what the cache, the counters and the journals say with the
record, and repairs what differs.

PostgreSQL's rows are the record. `compare` looks at everything once (`ops reconcile`);
`sample` is a turn of the sync role: counters, and a few hundred entries by chance. A
difference that is seen while doors work may only be on its way, so a counter is
repaired when it was off by the same number in `TURNS` samples, and then by that number,
not to a value: what happens meanwhile stays counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from ops import facts, log, metrics
from ops.admission import journals
from ops.cache import keys
from ops.cache.client import CACHE_ERRORS, Cache
from ops.cache.entry import visit_key
from ops.clock import Clock
from ops.crm_sync import rows, statements
from ops.crm_sync.warm import Warmer
from ops.db.engine import Database
from ops.errors import StoreUnavailable

TURNS = 3
SAMPLE_ROWS = 200
LOOK_AGAIN_S = 2.0
"""Longer than a desk, the drain or the relay takes to bring what is on its way."""
SHOWN_MAX = 20
"""Differences of one kind that are named; the others are counted."""
HEADER = slice(0, 3)
"""Pass and phase of a visit: whether it was shown comes to the cache later."""

_logger = log.get(__name__)


class Difference(msgspec.Struct, frozen=True):
    """One thing that two places say differently.

    `kind`: state, counter, inside, ticket, code, device, visit, fact or journal.
    """

    kind: str
    key: str
    there: str
    record: str


class Reconciler:
    """Compares and repairs the events of this installation.

    Args:
        warmer: fills a cache anew where an entry cannot be repaired alone.
        folder: the journals of this machine.
    """

    def __init__(
        self,
        database: Database,
        cache: Cache,
        warmer: Warmer,
        folder: Path,
        clock: Clock,
        look_again_s: float = LOOK_AGAIN_S,
    ) -> None:
        self._look_again_s = look_again_s
        self._database, self._cache = database, cache
        self._warmer, self._folder, self._clock = warmer, folder, clock
        self._seen: dict[tuple[UUID, str], tuple[int, int]] = {}
        self.rested_s = 0.0
        """How much of the last sample was waiting to look again: it cost nothing."""

    async def sample(self) -> int:
        """One turn over all events that are on; how many differences were repaired.

        Raises:
            StoreUnavailable: the cache is away.
        """
        repaired, differences, self.rested_s = 0, 0, 0.0
        for row in await self._database.pool.fetch(statements.ACTIVE_EVENTS):
            event_id = row["id"]
            if event_id in self._warmer.warming or not await self._usable(event_id):
                continue
            off = await self._counters(event_id)
            entries = await self._lasting(event_id)
            differences += len(off) + len(entries)
            repaired += await self._steady(event_id, off)
            if entries:
                repaired += await self._bring(event_id, entries)
        metrics.cache_differences.set(differences)
        return repaired

    async def _lasting(self, event_id: UUID) -> list[Difference]:
        """Entries of some tickets that differ in the same way each time they are read.

        Beside a rush some visits are always on their way: those look different a
        moment later, and a cache is not filled anew for them.
        """
        found = await self._database.pool.fetch(
            statements.TICKETS_BY_CHANCE, event_id, SAMPLE_ROWS
        )
        chance = [row["id"] for row in found]
        off = await self._entries(event_id, chance)
        for _ in range(TURNS - 1):
            if off:
                await asyncio.sleep(self._look_again_s)
                self.rested_s += self._look_again_s
                again = await self._entries(event_id, chance)
                off = [one for one in off if one in again]
        return off

    async def compare(self, event_id: UUID) -> list[Difference]:
        """Everything, once; at most `SHOWN_MAX` of a kind.

        Raises:
            StoreUnavailable: the cache is away.
        """
        found = await self._record(event_id) + await self._journals(event_id)
        if not await self._usable(event_id):
            return [*found, Difference("state", "cache", "cold or mode D", "ready")]
        off = await self._counters(event_id)
        found += [
            Difference("counter", name, str(there), str(record))
            for name, (there, record) in off.items()
        ]
        return found + await self._entries(event_id, None)

    async def repair(self, event_id: UUID, found: Iterable[Difference]) -> None:
        """Make it right: the record's counters from its rows, the cache anew.

        Journals are merged by the sync role, never here.
        """
        kinds = {difference.kind for difference in found}
        if "inside" in kinds:
            await self._database.pool.execute(statements.RECOUNT, event_id)
        if kinds & {"state", "counter", "ticket", "code", "device", "visit"}:
            await self._warmer.rebuild(event_id)
        if kinds - {"journal"}:
            metrics.reconciled_total.inc()
            await self._tell(event_id, sorted(kinds))

    async def _usable(self, event_id: UUID) -> bool:
        try:
            state, mode = await self._cache.redis.hmget(
                keys.meta(event_id), ["state", "mode"]
            )
        except CACHE_ERRORS as error:
            raise StoreUnavailable("cache") from error
        return state == b"ready" and mode == b"N"

    async def _counters(self, event_id: UUID) -> dict[str, tuple[int, int]]:
        """Counters that differ: the cache's value and the record's."""
        try:
            hash_: dict[Any, Any] = await self._cache.redis.hgetall(
                keys.counters(event_id)
            )
        except CACHE_ERRORS as error:
            raise StoreUnavailable("cache") from error
        found = await self._database.pool.fetch(statements.COUNTERS, event_id)
        record = {row["name"]: int(row["value"] or 0) for row in found}
        cache = {bytes(name).decode(): int(value) for name, value in hash_.items()}
        return {
            name: (cache.get(name, 0), record.get(name, 0))
            for name in sorted({*cache, *record})
            if cache.get(name, 0) != record.get(name, 0)
        }

    async def _steady(self, event_id: UUID, off: dict[str, tuple[int, int]]) -> int:
        """Repair the counters that were off by the same number often enough."""
        for key in [k for k in self._seen if k[0] == event_id and k[1] not in off]:
            del self._seen[key]
        repaired = 0
        for name, (there, record) in off.items():
            if self._again(event_id, name, there - record):
                try:
                    await self._cache.redis.hincrby(
                        keys.counters(event_id), name, record - there
                    )
                except CACHE_ERRORS as error:
                    raise StoreUnavailable("cache") from error
                repaired += 1
        if repaired:
            metrics.reconciled_total.inc(repaired)
            _logger.warning("counters_repaired", event_id=str(event_id), n=repaired)
            await self._tell(event_id, ["counter"])
        return repaired

    def _again(self, event_id: UUID, name: str, by: int) -> bool:
        """Whether this was seen `TURNS` times in a row, this time included."""
        before, times = self._seen.get((event_id, name), (by, 0))
        times = times + 1 if before == by else 1
        self._seen[event_id, name] = (by, times)
        if times < TURNS:
            return False
        del self._seen[event_id, name]
        return True

    async def _entries(
        self, event_id: UUID, chance: list[UUID] | None
    ) -> list[Difference]:
        """Tickets, codes, devices and visits whose entry in the cache is another.

        Args:
            chance: look at these tickets; None: at all.
        """
        found: list[Difference] = []
        async with (
            self._database.pool.acquire() as connection,
            connection.transaction(readonly=True),
        ):
            for kind, key, query, by_ticket, field, value, part in _ENTRIES:
                args: tuple[Any, ...] = (event_id,)
                if chance is not None and by_ticket:
                    query, args = by_ticket, (event_id, chance)
                async for chunk in _chunks(connection, query, args):
                    found += await self._held(
                        kind, key(event_id), chunk, field, value, part
                    )
                    if len(found) > SHOWN_MAX * len(_ENTRIES):
                        return found
        return found

    async def _held(
        self,
        kind: str,
        key: str,
        chunk: list[Any],
        field: Callable[[Any], bytes],
        value: Callable[[Any], bytes],
        part: slice,
    ) -> list[Difference]:
        try:
            there: list[Any] = await self._cache.redis.hmget(
                key, [field(row) for row in chunk]
            )
        except CACHE_ERRORS as error:
            raise StoreUnavailable("cache") from error
        return [
            Difference(
                kind,
                field(row).hex(),
                "nothing" if held is None else bytes(held)[part].hex()[:24],
                value(row)[part].hex()[:24],
            )
            for row, held in zip(chunk, there, strict=True)
            if held is None or held[part] != value(row)[part]
        ][:SHOWN_MAX]

    async def _bring(self, event_id: UUID, entries: list[Difference]) -> int:
        """Let the relay bring tickets anew; what it cannot is a whole cache."""
        if any(one.kind == "visit" for one in entries):
            await self._warmer.rebuild(event_id)
        for kind in ("ticket", "device"):
            ids = [UUID(hex=one.key) for one in entries if one.kind == kind]
            if ids:
                await self._database.pool.execute(
                    statements.OUTBOX_AGAIN, event_id, kind, ids
                )
        codes = [bytes.fromhex(one.key) for one in entries if one.kind == "code"]
        if codes:
            await self._database.pool.execute(statements.OUTBOX_CODES, event_id, codes)
        metrics.reconciled_total.inc(len(entries))
        _logger.warning("entries_repaired", event_id=str(event_id), n=len(entries))
        await self._tell(event_id, sorted({one.kind for one in entries}))
        return len(entries)

    async def _record(self, event_id: UUID) -> list[Difference]:
        found = await self._database.pool.fetch(statements.RECORD_OFF, event_id)
        return [
            Difference(row["kind"], row["name"], str(row["there"]), str(row["record"]))
            for row in found
        ]

    async def _journals(self, event_id: UUID) -> list[Difference]:
        """Files of this machine with lines that the record does not have."""
        found = []
        for path in sorted(self._folder.glob(f"*{journals.SUFFIX}")):
            try:
                lines = await asyncio.to_thread(journals.read, path)
            except Exception as error:  # a torn file says so by many names
                found.append(Difference("journal", path.name, str(error), "readable"))
                continue
            ids = [
                line.scan_id
                for line in lines
                if line.event_id == event_id and not line.void
            ]
            logged = await self._database.pool.fetch(statements.LOGGED, ids)
            missing = len(set(ids)) - len(logged)
            if missing:
                found.append(
                    Difference("journal", path.name, f"{missing} lines", "merged")
                )
        return found

    async def _tell(self, event_id: UUID, kinds: list[str]) -> None:
        fact = facts.Alert(
            event_id=event_id,
            name="cache_differs",
            args={"kinds": kinds},
            at=self._clock.now(),
        )
        await self._database.pool.execute(
            statements.FACT_ALERT, event_id, facts.encode_object(fact)
        )
        await self._database.pool.execute(statements.RING_ALERTS, str(event_id))


async def _chunks(connection: Any, query: str, args: tuple[Any, ...]) -> Any:
    cursor = await connection.cursor(query, *args)
    while chunk := await cursor.fetch(2_000):
        yield chunk


def _id(row: rows.Row) -> bytes:
    return bytes(row["id"].bytes)


def _code(row: rows.Row) -> bytes:
    return bytes(row["code_hash"])


def _place(row: rows.Row) -> bytes:
    return visit_key(row["k"], row["sc"], row["n"])


def _header(row: rows.Row) -> bytes:
    return bytes([row["p"] >> 8, row["p"] & 255, row["ph"]])


_WHOLE = slice(None)
_ENTRIES = (
    (
        "ticket",
        keys.tickets,
        statements.TICKETS,
        statements.TICKETS_BY_ID,
        _id,
        rows.ticket,
        _WHOLE,
    ),
    (
        "code",
        keys.codes,
        statements.CODES,
        statements.CODES_BY_TICKET,
        _code,
        rows.code,
        _WHOLE,
    ),
    ("device", keys.devices, statements.DEVICES, "", _id, rows.device, _WHOLE),
    (
        "visit",
        keys.visits,
        statements.VISITS,
        statements.VISITS_BY_TICKET,
        _place,
        _header,
        HEADER,
    ),
)
"""What stands in a hash of the cache: its key, the rows of an event and of some
tickets, field and value of a row, and the part of the value that has to agree."""
