"""The sync role: warm, relay and drain bring PostgreSQL's truth to the cache."""

from __future__ import annotations

import pytest

from ops.admission.commands import ReadCache
from ops.admission.from_cache import CacheFacts, CacheRead, Cold
from ops.cache import keys
from ops.cache.client import Cache
from ops.cache.entry import unpack_visit
from ops.crm_sync import statements
from ops.crm_sync.drain import Drain
from ops.crm_sync.relay import Relay
from ops.crm_sync.warm import Warmer
from ops.db.engine import Database
from tests.integration.test_desk import Door, door, event, said, scan  # noqa: F401
from tests.small_event import SmallEvent, code_hash


class Sync:
    """The duties of a sync process, called turn by turn."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self.database, self.cache = database, cache
        self.relay = Relay(database, cache)
        self.drain = Drain(database, cache)
        self.warmer = Warmer(database, cache, self.drain.catch_up)


@pytest.fixture
async def sync(database, redis_url, event):  # noqa: F811
    cache = Cache(redis_url, timeout_s=2.0)
    sync = Sync(database, cache)
    await sync.drain.start()
    yield sync
    await cache.stop()


async def counters(sync: Sync, event: SmallEvent) -> dict[str, int]:  # noqa: F811
    found = await sync.cache.redis.hgetall(keys.counters(event.id))
    return {name.decode(): int(value) for name, value in found.items() if int(value)}


async def counted(sync: Sync, event: SmallEvent) -> dict[str, int]:  # noqa: F811
    rows = await sync.database.pool.fetch(statements.COUNTERS, event.id)
    return {row["name"]: int(row["value"]) for row in rows if row["value"]}


async def read(door: Door, event: SmallEvent, code: str):  # noqa: F811
    desk = await door.desk.event(event.id)
    asked = CacheRead(
        code_hash(code), (desk.plan.scopes[event.venue_scope],), event.device
    )
    return await door.stores.read_cache(event.id, ReadCache([asked]))


async def test_a_cold_cache_is_warmed_and_used(sync, door, event):  # noqa: F811
    assert isinstance(await read(door, event, "T-1"), Cold)
    await scan(door, event, "T-1")
    assert await sync.warmer.check() == 1
    assert await sync.warmer.check() == 0
    facts = await read(door, event, "T-1")
    assert isinstance(facts, CacheFacts)
    assert facts.facts[0].ticket.name == "Guest 1"
    assert facts.facts[0].device.name == "Phone 1"
    assert [visit.inside for visit in facts.facts[0].visits.values()] == [True]
    assert said(await scan(door, event, "T-2")) == ("admitted", "ok")
    desk = await door.desk.event(event.id)
    assert desk.mode == "N"


async def test_counters_of_the_scripts_are_those_of_the_rows(sync, door, event):  # noqa: F811
    await sync.warmer.check()
    for n in range(1, 8):
        await scan(door, event, f"T-{n}")
    await scan(door, event, "T-1", direction="out")
    await scan(door, event, "T-1")
    await scan(door, event, "T-2", direction="out")
    await scan(door, event, "V-1", event.lounge_device)
    await scan(door, event, "T-3", event.lounge_device)
    await scan(door, event, "G-1", admit=2)
    await scan(door, event, "T-4", event.other_device)
    await scan(door, event, "T-4", session_id=event.session)
    await scan(door, event, "T-4", event.other_device, session_id=event.session)
    await door.desk.stop()
    told = await counters(sync, event)
    assert told == await counted(sync, event)
    assert await sync.drain.turn() > 0
    assert await counters(sync, event) == told
    await sync.warmer.rebuild(event.id)
    assert await counters(sync, event) == told


async def test_the_drain_brings_what_a_killed_desk_left(sync, door, event, monkeypatch):  # noqa: F811
    await sync.warmer.check()

    async def die(*_: object) -> str:
        return "down"

    monkeypatch.setattr(door.stores, "finish", die)
    await scan(door, event, "T-1")
    await scan(door, event, "T-2")
    await scan(door, event, "T-2", direction="out")
    assert await counters(sync, event) == {}
    await sync.database.pool.execute(
        "UPDATE check_ins SET checked_in_at = date_trunc('second', checked_in_at)"
        " + interval '0.0006 s'"
    )
    while await sync.drain.turn():
        pass
    assert await counters(sync, event) == await counted(sync, event)
    drained = await sync.cache.redis.hgetall(keys.visits(event.id))
    await sync.warmer.rebuild(event.id)
    filled = await sync.cache.redis.hgetall(keys.visits(event.id))
    assert drained == filled, "to the millisecond"


async def _told_again(sync: Sync, monkeypatch) -> list[object]:
    """The tickets that a drain brings the cache, as one list."""
    tell, tickets = sync.drain._tell, []

    async def listening(event_id, ids):
        tickets.extend(ids)
        await tell(event_id, ids)

    monkeypatch.setattr(sync.drain, "_tell", listening)
    while await sync.drain.turn():
        pass
    monkeypatch.setattr(sync.drain, "_tell", tell)
    return tickets


async def test_what_the_cache_knows_is_not_read_again(sync, door, event, monkeypatch):  # noqa: F811
    """Nobody reads the passes of tickets whose desk has told them; of others all."""
    await sync.warmer.check()
    await scan(door, event, "T-1")
    await scan(door, event, "T-1", direction="out")
    await scan(door, event, "T-1")
    await scan(door, event, "T-2")
    desk = await door.desk.event(event.id)
    await desk._flush()
    assert await _told_again(sync, monkeypatch) == []

    heard = door.stores.finish

    async def lost(*_: object) -> str:
        return "down"

    monkeypatch.setattr(door.stores, "finish", lost)
    await scan(door, event, "T-2", direction="out")
    monkeypatch.setattr(door.stores, "finish", heard)
    told = await scan(door, event, "T-3")
    await desk._flush()
    assert await _told_again(sync, monkeypatch) == [
        await sync.database.pool.fetchval(
            "SELECT ticket_id FROM check_ins WHERE exit_scan_id IS NOT NULL"
            " ORDER BY checked_out_at DESC LIMIT 1"
        )
    ]
    assert said(told) == ("admitted", "ok")
    assert await counters(sync, event) == await counted(sync, event)


async def test_a_green_that_is_not_known_as_shown_is_told_again(
    sync,
    door,  # noqa: F811
    event,  # noqa: F811
    monkeypatch,
):
    """The desk died between confirming in PostgreSQL and telling the cache."""
    await sync.warmer.check()
    told = await scan(door, event, "T-1")
    desk = await door.desk.event(event.id)
    await desk._flush()
    field = (await sync.cache.redis.hkeys(keys.visits(event.id)))[0]
    packed = await sync.cache.redis.hget(keys.visits(event.id), field)
    assert unpack_visit(packed).confirmed
    unshown = packed[:3] + b"\0" + packed[4:]
    await sync.cache.redis.hset(keys.visits(event.id), field, unshown)
    assert len(await _told_again(sync, monkeypatch)) == 1
    assert await sync.cache.redis.hget(keys.visits(event.id), field) == packed
    assert said(told) == ("admitted", "ok")


@pytest.mark.parametrize("told_after", [2, 3, 4])
async def test_the_counters_miss_no_pass_that_was_never_told(
    sync,
    door,  # noqa: F811
    event,  # noqa: F811
    monkeypatch,
    told_after,
):
    """An exit whose guest is back already, an entry by another gate: their desks could
    tell the cache nothing while it was filled anew. `x:` stayed one behind for ever.
    """
    await sync.warmer.check()
    finish = door.stores.finish

    async def lost(*_: object) -> str:
        return "moved"

    steps = [
        ("in", "device"),
        ("out", "other_device"),
        ("in", "other_device"),
        ("out", "device"),
        ("in", "device"),
    ]
    for number, (direction, device) in enumerate(steps):
        unheard = 1 <= number < told_after
        monkeypatch.setattr(door.stores, "finish", lost if unheard else finish)
        told = await scan(
            door, event, "T-1", getattr(event, device), direction=direction
        )
        assert said(told) == ("admitted" if direction == "in" else "exited", "ok")
    while await sync.drain.turn():
        pass
    assert await counters(sync, event) == await counted(sync, event)


async def test_flushall_loses_no_admission(sync, door, event):  # noqa: F811
    await sync.warmer.check()
    await scan(door, event, "T-1")
    await sync.cache.redis.flushall()
    repeated = await scan(door, event, "T-1", event.other_device)
    assert said(repeated)[1] in ("already_inside", "unconfirmed")
    assert said(await scan(door, event, "T-2")) == ("admitted", "ok")
    await sync.warmer.check()
    assert await counters(sync, event) == await counted(sync, event)
    repeated = await scan(door, event, "T-2", event.other_device)
    assert said(repeated)[1] in ("already_inside", "unconfirmed")


async def test_a_change_by_psql_is_at_the_door(sync, door, event, database):  # noqa: F811
    await sync.warmer.check()
    while await sync.relay.turn():
        pass
    await database.pool.execute(
        "UPDATE tickets SET state = 'refunded' WHERE id = $1", event.tickets["T-1"]
    )
    assert (await read(door, event, "T-1")).facts[0].ticket.state == "valid"
    # The cache does not know it yet, and PostgreSQL still refuses.
    assert said(await scan(door, event, "T-1")) == ("refused", "refunded")
    assert await sync.relay.turn() == 1
    assert (await read(door, event, "T-1")).facts[0].ticket.state == "refunded"
    await database.pool.execute(
        "UPDATE ops.gates SET state = 'closed' WHERE id = $1", event.main_gate
    )
    await sync.relay.turn()
    assert said(await scan(door, event, "T-2")) == ("refused", "doors_closed")


async def test_a_late_commit_is_not_skipped(sync, event, database):  # noqa: F811
    """The negative control reads by `id > last` and misses it."""
    while await sync.relay.turn():
        pass
    async with database.pool.acquire() as slow:
        late = slow.transaction()
        await late.start()
        await slow.execute(
            "UPDATE tickets SET state = 'blocked' WHERE id = $1", event.tickets["T-1"]
        )
        await database.pool.execute(
            "UPDATE tickets SET state = 'blocked' WHERE id = $1", event.tickets["T-2"]
        )
        last = await database.pool.fetchval("SELECT max(id) FROM ops.outbox")
        assert await sync.relay.turn() == 1
        await late.commit()
    skipped = await database.pool.fetchval(
        "SELECT count(*) FROM ops.outbox WHERE id > $1", last
    )
    assert skipped == 0, "the control by id would have seen the late row"
    assert await sync.relay.turn() == 1
