"""The cache: how long it takes to fill, and how much memory a ticket takes."""

from __future__ import annotations

import asyncio
import time

from benchmarks.event import BulkEvent
from benchmarks.figure import Figure, Target, paired
from benchmarks.house import House
from ops.cache import keys
from ops.cache.client import Cache
from ops.crm_sync.drain import Drain
from ops.crm_sync.warm import FIELDS_PER_COMMAND, Warmer
from ops.db.engine import Database

_COPIES = (
    "SELECT id, version, admits, state, ticket_type_id, access_class, seat_label,"
    " valid_from, valid_to FROM tickets WHERE event_id = $1",
    "SELECT id, first_name, last_name, company, flags, notes, language FROM attendees"
    " WHERE event_id = $1",
    "SELECT code_hash, ticket_id, revoked_at, revoked_reason FROM ops.ticket_codes"
    " WHERE event_id = $1",
    "SELECT ticket_id, scope_id, person_no, pass_no, checked_in_at, checked_out_at,"
    " undone_at, confirmed_at, exit_assumed, gate_id, exit_gate_id, device_id, scan_id"
    " FROM check_ins WHERE event_id = $1",
)
_ADMIT_ALL = """
INSERT INTO check_ins (id, event_id, attendee_id, ticket_id, scope_id, area_id,
  gate_id, scan_id, device_id, check_in_method)
SELECT gen_random_uuid(), t.event_id, t.attendee_id, t.id, $2, $3, $4,
  gen_random_uuid(),
  (SELECT device_id::text FROM ops.device_events WHERE event_id = $1 LIMIT 1),
  'qr_code'
FROM tickets t WHERE t.event_id = $1
ON CONFLICT DO NOTHING
"""


async def cache(house: House, event: BulkEvent, rounds: int) -> list[Figure]:
    """Time and memory of a warm cache: of tickets sold, then of all admitted once."""
    database, cache = Database(house.database_url), Cache(house.redis_url, 30.0)
    await database.start()
    drain = Drain(database, cache)
    await drain.start()
    while await drain.turn():
        pass
    warmer = Warmer(database, cache, drain.catch_up)
    places = (event.scope, event.venue, event.gates[0])
    figures: list[Figure] = []
    try:
        await house.db.execute("DELETE FROM check_ins WHERE event_id = $1", event.id)
        await house.db.execute("VACUUM (ANALYZE) check_ins")
        figures.append(await _memory(house, event, warmer, "sold", 300))
        figures.append(await _time(house, event, warmer, cache, rounds, 2.0))
        await house.db.execute(_ADMIT_ALL, event.id, *places)
        await house.db.execute("VACUUM (ANALYZE) check_ins")
        figures.append(await _memory(house, event, warmer, "admitted once", 500))
        full = await _time(house, event, warmer, cache, rounds, None)
        figures += [
            full,
            Figure(
                f"rebuild of {event.tickets:,} tickets, all admitted once",
                full.value,
                "s",
                target=Target("at most", 10.0),
            ),
        ]
    finally:
        await cache.stop()
        await database.stop()
    return figures


async def _time(
    house: House,
    event: BulkEvent,
    warmer: Warmer,
    cache: Cache,
    rounds: int,
    limit: float | None,
) -> Figure:
    """Fill the cache beside a plain copy of the same bytes."""
    ours, theirs = [], []
    for _ in range(rounds):
        started_s = time.perf_counter()
        await warmer.rebuild(event.id)
        ours.append(time.perf_counter() - started_s)
        theirs.append(await _plain(house, event, cache))
    visits = "" if limit else ", all admitted once"
    return paired(
        f"warm {event.tickets:,} tickets{visits}",
        "s",
        ours,
        theirs,
        "COPY out and pipelined HSET of the same bytes",
        Target("at most", limit) if limit else None,
    )


async def _plain(house: House, event: BulkEvent, cache: Cache) -> float:
    make = (keys.codes, keys.tickets, keys.visits, keys.devices)
    packed = [await cache.redis.hgetall(key(event.id)) for key in make]

    async def throw_away(_: bytes) -> None:
        """What COPY sends has arrived."""

    started_s = time.perf_counter()
    for query in _COPIES:
        await house.db.copy_from_query(query, event.id, output=throw_away)
    for number, fields in enumerate(packed):
        items = [part for pair in fields.items() for part in pair]
        async with cache.redis.pipeline(transaction=False) as pipe:
            for at in range(0, len(items), 2 * FIELDS_PER_COMMAND):
                part = items[at : at + 2 * FIELDS_PER_COMMAND]
                pipe.execute_command("HSET", f"bench:{number}", *part)
            await pipe.execute()
    took_s = time.perf_counter() - started_s
    await cache.redis.delete(*(f"bench:{number}" for number in range(len(packed))))
    return took_s


async def _memory(
    house: House, event: BulkEvent, warmer: Warmer, state: str, limit: int
) -> Figure:
    """What the whole server grows by when the event comes, by its own account."""
    await house.redis.flushall()
    before = await _settled(house)
    await warmer.rebuild(event.id)
    each = (await _settled(house) - before) / event.tickets
    target = Target("at most", limit)
    return Figure(f"Redis memory of a ticket, {state}", each, "bytes", target=target)


async def _settled(house: House) -> int:
    """Memory in use when it no longer moves (hash tables are resized in steps)."""
    last = -1
    for _ in range(100):
        info = await house.redis.info("memory")
        now = int(info["used_memory"])
        if abs(now - last) < 16_384:
            break
        last = now
        await asyncio.sleep(0.1)
    return last
