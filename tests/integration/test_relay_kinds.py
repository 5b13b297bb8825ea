"""Each kind of change, made with plain SQL, is what the door decides by a moment later.

The sync role runs in a process of its own, as in production; the door asks the cache.
"""

# The fixtures of other tests are arguments here.
# What is waited for happens in another process: there is no event of ours to await.
# ruff: noqa: F811, ASYNC110

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import quantiles

import pytest

from ops.cache import keys
from ops.cache.client import Cache
from ops.cache.entry import unpack_ticket
from ops.crm_sync.relay import BEHIND_S, Relay
from ops.errors import StoreUnavailable
from tests.integration.test_desk import door, event, said, scan  # noqa: F401
from tests.running import Role
from tests.small_event import code_hash

WITHIN_S = 1.0
WARM_S = 60.0
CHANGES, PER_S = 300, 100
NEW_TICKET = """
WITH a AS (INSERT INTO attendees (event_id, first_name) VALUES ($1, 'New')
  RETURNING id), t AS (INSERT INTO tickets (event_id, attendee_id, ticket_type_id)
  SELECT $1, a.id, $2 FROM a RETURNING id)
INSERT INTO ops.ticket_codes (event_id, code_hash, ticket_id, kind)
SELECT $1, $3, t.id, 'imported' FROM t
"""


@pytest.fixture
async def relayed(
    door, event, database_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[Cache]:
    """A sync process, and the event's cache warm."""
    env = {
        "OPS_DATABASE_URL": database_url,
        "OPS_REDIS_URL": redis_url,
        "OPS_DATA_DIR": str(tmp_path),
    }
    cache = Cache(redis_url, timeout_s=2.0)
    async with Role("sync", env, tmp_path / "sync.log"), asyncio.timeout(WARM_S):
        while await cache.redis.hget(keys.meta(event.id), "state") != b"ready":
            await asyncio.sleep(0.02)
        yield cache
    await cache.stop()


CHANGES_BY_SQL = {
    "a refund": (
        "UPDATE tickets SET state = 'refunded' WHERE id = $1",
        lambda e: [e.tickets["T-1"]],
        ("refused", "refunded"),
    ),
    "another type": (
        "WITH r AS (INSERT INTO ops.access_rules (event_id, scope_id, ticket_type_id,"
        " allowed) VALUES ($1, $2, $3, false)) UPDATE tickets SET ticket_type_id = $3"
        " WHERE id = $4",
        lambda e: [e.id, e.venue_scope, e.vip, e.tickets["T-1"]],
        ("refused", "wrong_area"),
    ),
    "no room left": (
        "UPDATE ops.areas SET capacity = 0 WHERE id = $1",
        lambda e: [e.venue],
        ("hold", "area_full"),
    ),
    "a closed gate": (
        "UPDATE ops.gates SET state = 'closed' WHERE id = $1",
        lambda e: [e.main_gate],
        ("refused", "doors_closed"),
    ),
    "an event that opens later": (
        "UPDATE events SET admission_opens_at = now() + interval '1 hour'"
        " WHERE id = $1",
        lambda e: [e.id],
        ("refused", "too_early"),
    ),
    "a reissued code": (
        "UPDATE ops.ticket_codes SET revoked_at = now(), revoked_reason = 'reissued'"
        " WHERE ticket_id = $1",
        lambda e: [e.tickets["T-1"]],
        ("refused", "reissued"),
    ),
    "a blocked ticket": (
        "UPDATE tickets SET state = 'blocked' WHERE id = $1",
        lambda e: [e.tickets["T-1"]],
        ("hold", "blocked"),
    ),
}


@pytest.mark.parametrize("change", CHANGES_BY_SQL)
async def test_a_change_by_sql(relayed, door, event, database, change: str) -> None:
    """The door's answer is right at once; that the CACHE knows takes a moment."""
    query, args, wanted = CHANGES_BY_SQL[change]
    await database.pool.execute(query, *args(event))
    began_s = time.monotonic()
    async with asyncio.timeout(10):
        while await database.pool.fetchval("SELECT count(*) FROM ops.outbox"):
            await asyncio.sleep(0.005)
    assert time.monotonic() - began_s < WITHIN_S
    assert said(await scan(door, event, "T-1")) == wanted


async def test_a_new_order_is_let_in(relayed, door, event, database) -> None:
    assert said(await scan(door, event, "N-1")) == ("refused", "unknown_code")
    args = (event.id, event.regular, code_hash("N-1"))
    await database.pool.execute(NEW_TICKET, *args)
    async with asyncio.timeout(WITHIN_S):
        while not await relayed.redis.hexists(keys.codes(event.id), code_hash("N-1")):
            await asyncio.sleep(0.005)
    assert said(await scan(door, event, "N-1")) == ("admitted", "ok")


async def test_a_hundred_changes_a_second(relayed, event, database) -> None:
    """From the commit to the cache, as a distribution: 99 of 100 within a second."""
    tickets = [event.tickets[f"T-{n}"] for n in range(1, 21)]
    lags: list[float] = []
    watching: list[asyncio.Task[None]] = []

    async def watch(ticket, version: int, committed_s: float) -> None:
        field = ticket.bytes
        while True:
            entry = await relayed.redis.hget(keys.tickets(event.id), field)
            if unpack_ticket(entry).version >= version:
                break
            await asyncio.sleep(0.01)
        lags.append(time.monotonic() - committed_s)

    began_s = time.monotonic()
    for n in range(CHANGES):
        ticket = tickets[n % len(tickets)]
        version = await database.pool.fetchval(
            "UPDATE tickets SET seat_label = $2 WHERE id = $1 RETURNING version",
            ticket,
            f"row {n}",
        )
        watching.append(asyncio.create_task(watch(ticket, version, time.monotonic())))
        await asyncio.sleep(max(0.0, began_s + n / PER_S - time.monotonic()))
    async with asyncio.timeout(20):
        await asyncio.gather(*watching)
    cuts = quantiles(lags, n=100)
    assert cuts[98] <= WITHIN_S, f"p50 {cuts[49]:.3f} s, p99 {cuts[98]:.3f} s"


async def test_falling_behind_is_told(door, event, database, redis_url) -> None:
    """The cache is away: the relay keeps the change and says so, once."""
    nowhere = Cache("unix:///nowhere/valkey.sock", timeout_s=0.1)
    relay = Relay(database, nowhere)
    await database.pool.execute(
        "UPDATE tickets SET state = 'refunded' WHERE id = $1", event.tickets["T-1"]
    )
    with pytest.raises(StoreUnavailable):
        await relay.turn()
    assert await relay.measure() > 0
    alerts = "SELECT payload FROM ops.facts WHERE kind = 'alert'"
    assert await database.pool.fetch(alerts) == []
    await database.pool.execute(
        "UPDATE ops.outbox SET created_at = now() - make_interval(secs => $1)",
        BEHIND_S + 1,
    )
    await relay.measure()
    await relay.measure()
    told = [row["payload"] for row in await database.pool.fetch(alerts)]
    assert [one["name"] for one in told] == ["relay_behind"]
    assert told[0]["args"]["seconds"] > BEHIND_S
    await nowhere.stop()
