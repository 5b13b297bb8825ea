"""One scan at a time: its median beside the sum of what it cannot do without.

The parts are measured alone and in turns with the scan: the empty handler, the call
that reads the facts, one durable commit into the same tables with their keys and
indexes (plain INSERTs and UPDATEs in one statement), the call that writes the cache,
and one line of the journal. A desk that adds nothing would have the ratio 1.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from benchmarks.event import BulkEvent
from benchmarks.figure import Figure, Target, paired
from benchmarks.house import House
from benchmarks.scans import Door
from ops.admission import finish, from_cache
from ops.admission.finish import CacheVisit
from ops.admission.from_cache import CacheRead
from ops.admission.journal import Journal
from ops.admission.lines import Line, micros
from ops.admission.plan import Plan, PlanRows
from ops.cache import keys
from ops.cache.client import Cache
from ops.cache.entry import Phase, Visit, ms
from ops.cache.scripts import FINISH, READ_FACTS
from ops.ids import uuid7

PARTS = ("empty handler", "read facts", "commit", "write cache", "journal line")
REPEATS = 150

_COMMIT = """
WITH visit AS (
  INSERT INTO check_ins (id, event_id, attendee_id, ticket_id, checked_in_at,
    check_in_method, check_in_location, device_id, scope_id, area_id, gate_id,
    person_no, pass_no, scan_id, mode)
  VALUES ($1, $2, $3, $4, $5, 'qr_code', 'Gate 1', $6::text, $7, $8, $9, 1, 1, $10,
    'N')
), log AS (
  INSERT INTO ops.scan_log (scan_id, event_id, content_hash, verdict, reason, args,
    ticket_id, scope_id, gate_id, device_id, direction, method, pass_no, people,
    code_hash, code_hint, decided_at, mode, durable)
  VALUES ($10, $2, $11, 'admitted', 'ok', '{"name": "Priya Raghunathan"}', $4, $7, $9,
    $6::text::uuid, 'in', 'qr_code', 1, 1, $11, '0001', $5, 'N', 'committed')
), fact AS (
  INSERT INTO ops.facts (event_id, kind, v, payload, at)
  VALUES ($2, 'admitted', 1, jsonb_build_object('kind', 'admitted', 'v', 1,
    'event_id', $2, 'at', $5, 'ticket_id', $4, 'scope_id', $7, 'person_no', 1,
    'pass_no', 1, 'scan_id', $10, 'gate_id', $9, 'device_id', $6::text), $5)
), place AS (
  UPDATE ops.areas SET inside = inside + 1 WHERE id = $8
), confirmed AS (
  UPDATE check_ins SET confirmed_at = $5 WHERE scan_id = $12
)
UPDATE ops.scopes SET inside = inside + 1 WHERE id = $7
"""
_TICKET = """
SELECT t.id, t.attendee_id, c.code_hash FROM ops.ticket_codes c
JOIN tickets t ON t.id = c.ticket_id
WHERE c.event_id = $1
  AND c.code_hash = substring(sha256(convert_to($2, 'UTF8')) FOR 16)
"""

LOG_BYTES = 450
"""What the row of a scan's log takes in a line."""


class Parts:
    """The parts of a scan, each as one awaitable call."""

    def __init__(self, house: House, event: BulkEvent, device: UUID, plan: Plan):
        self.event, self._device, self._plan = event, device, plan
        self._db = house.db
        self._cache = Cache(house.redis_url)
        self._journal = Journal(Path(house.folder) / "bench-journal")
        self._scope = plan.scopes[event.scope]
        self._gate = plan.gates[event.gates[0]]
        self._last = uuid7()

    async def start(self) -> None:
        """Open the journal."""
        await self._journal.start()

    async def stop(self) -> None:
        """Close what was opened."""
        await self._journal.stop()
        await self._cache.stop()

    async def once(self) -> dict[str, float]:
        """Each part once, for a ticket that nobody has scanned; seconds."""
        number = self.event.fresh(1)[0]
        ticket = await self._db.fetchrow(
            _TICKET, self.event.id, self.event.code(number)
        )
        assert ticket is not None
        scan_id, now = uuid7(), datetime.now(UTC)
        took = {
            "read facts": await _timed(lambda: self._read(ticket["code_hash"])),
            "commit": await _timed(lambda: self._commit(ticket, scan_id, now)),
            "write cache": await _timed(lambda: self._write(ticket, scan_id, now)),
            "journal line": await _timed(lambda: self._line(ticket, scan_id, now)),
        }
        self._last = scan_id
        return took

    async def _read(self, code_hash: bytes) -> None:
        read = CacheRead(code_hash, (self._scope,), self._device)
        make = (keys.meta, keys.codes, keys.tickets, keys.visits, keys.devices)
        reply = await self._cache.call(
            READ_FACTS,
            [key(self.event.id) for key in make],
            from_cache.arguments(b"1", [read]),
        )
        assert reply[1] == b"warm", reply

    async def _commit(
        self, ticket: asyncpg.Record, scan_id: UUID, now: datetime
    ) -> None:
        await self._db.execute(
            _COMMIT,
            uuid7(),
            self.event.id,
            ticket["attendee_id"],
            ticket["id"],
            now,
            str(self._device),
            self._scope.id,
            self.event.venue,
            self._gate.id,
            scan_id,
            ticket["code_hash"],
            self._last,
        )

    async def _write(
        self, ticket: asyncpg.Record, scan_id: UUID, now: datetime
    ) -> None:
        visit = Visit(
            1,
            Phase.OPEN,
            False,
            0,
            False,
            ms(now),
            self._gate.no,
            1,
            0,
            0,
            scan_id.bytes,
        )
        written = CacheVisit(ticket["id"], self._scope.no, 1, visit, 1, True, True)
        line = [str(scan_id), ms(now), "admitted", "ok", "in", 1, "Priya Raghunathan"]
        make = (keys.meta, keys.visits, keys.counters, keys.feed)
        await self._cache.call(
            FINISH,
            [key(self.event.id) for key in make],
            finish.arguments(b"f", None, [written], [line], []),
        )

    async def _line(self, ticket: asyncpg.Record, scan_id: UUID, now: datetime) -> None:
        places = ((self._scope.no, 1, 1, 1),)
        line = Line(
            scan_id,
            self.event.id,
            ticket["id"],
            1,
            bytes(16),
            micros(now),
            "answered",
            places,
            log=bytes(LOG_BYTES),
        )
        await self._journal.append([line])


async def _timed(call: Callable[[], Awaitable[Any]]) -> float:
    started_s = time.perf_counter()
    await call()
    return time.perf_counter() - started_s


async def one_connection(door: Door, rounds: int, seconds: float) -> list[Figure]:
    """The median of one connection beside the sum of its parts."""
    text = await door.house.db.fetchval(
        "SELECT ops.read_plan_v1($1)::text", door.event.id
    )
    plan = Plan(msgspec.json.decode(text, type=PlanRows))
    device = await door.house.db.fetchval(
        "SELECT device_id FROM ops.device_events WHERE event_id = $1 LIMIT 1",
        door.event.id,
    )
    parts = Parts(door.house, door.event, device, plan)
    await parts.start()
    ours: list[float] = []
    sums: list[float] = []
    medians: dict[str, list[float]] = {name: [] for name in PARTS}
    try:
        await parts.once()
        for _ in range(rounds):
            scans = await door.scan(int(3000 * seconds), seconds, connections=1)
            ours.append(scans.quantile_ms(0.5))
            empty = await door.empty(seconds / 2, connections=1)
            found = {"empty handler": empty.quantile_ms(0.5)}
            times = [await parts.once() for _ in range(REPEATS)]
            for name in times[0]:
                found[name] = median(one[name] for one in times) * 1000
            for name, value in found.items():
                medians[name].append(value)
            sums.append(sum(found.values()))
    finally:
        await parts.stop()
    return [
        paired(
            "median of one connection",
            "ms",
            ours,
            sums,
            "sum of its parts, each alone",
            Target("at most", 1.6),
            parts_ms={name: median(values) for name, values in medians.items()},
        )
    ]
