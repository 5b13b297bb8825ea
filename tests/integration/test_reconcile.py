"""What differs is found and repaired, and nothing that is only on its way."""

# The fixtures of other tests are arguments here.
# ruff: noqa: F811

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from rich.console import Console

from ops.cache import keys
from ops.clock import Clock
from ops.commands import preflight, reconcile
from ops.crm_sync.reconcile import TURNS, Reconciler
from ops.crm_sync.relay import Relay
from ops.errors import SettingsError
from ops.settings import Settings
from tests.integration.test_desk import door, event, scan  # noqa: F401
from tests.integration.test_sync import sync  # noqa: F401


@pytest.fixture
async def reconciler(sync, door, event, tmp_path: Path) -> Reconciler:
    await sync.warmer.check()
    for n in range(1, 6):
        await scan(door, event, f"T-{n}")
    await scan(door, event, "T-1", direction="out")
    while await sync.relay.turn():
        pass
    return Reconciler(
        sync.database,
        sync.cache,
        sync.warmer,
        tmp_path / "journal",
        Clock(),
        look_again_s=0.05,
    )


async def kinds(reconciler: Reconciler, event) -> list[str]:
    return sorted({one.kind for one in await reconciler.compare(event.id)})


async def test_nothing_differs_after_an_evening(reconciler, event) -> None:
    assert await reconciler.compare(event.id) == []


async def test_each_kind_of_difference_is_seen_and_repaired(
    reconciler,
    sync,
    door,
    event,
) -> None:
    redis, db = sync.cache.redis, sync.database.pool
    ticket = event.tickets["T-3"]
    await redis.hincrby(keys.counters(event.id), "w:", 3)
    await redis.hdel(keys.tickets(event.id), ticket.bytes)
    await redis.delete(keys.codes(event.id))
    await redis.delete(keys.visits(event.id))
    await db.execute("UPDATE ops.scopes SET inside = inside + 2")
    await db.execute("UPDATE ops.areas SET inside = inside + 1")
    await db.execute("DELETE FROM ops.facts WHERE id = (SELECT min(id) FROM ops.facts)")
    found = await kinds(reconciler, event)
    assert found == ["code", "counter", "fact", "inside", "ticket", "visit"]
    await reconciler.repair(event.id, await reconciler.compare(event.id))
    # A fact cannot be made up again: it stays in the list.
    assert await kinds(reconciler, event) == ["fact"]
    names = await db.fetch(
        "SELECT payload ->> 'name' AS name FROM ops.facts WHERE kind = 'alert'"
    )
    assert [row["name"] for row in names] == ["cache_differs"]


async def test_a_cold_cache_and_lines_that_nobody_merged(
    reconciler,
    sync,
    event,
    tmp_path,
) -> None:
    await sync.cache.redis.delete(keys.meta(event.id))
    (tmp_path / "journal").mkdir(exist_ok=True)
    (tmp_path / "journal" / "torn.journal").write_bytes(b"rubbish")
    assert await kinds(reconciler, event) == ["journal", "state"]


async def test_the_sampler_repairs_what_stays_off(
    reconciler,
    sync,
    door,
    event,
) -> None:
    redis = sync.cache.redis
    scope = await sync.database.pool.fetchval(
        "SELECT no FROM ops.scopes WHERE id = $1", event.venue_scope
    )
    counter = (keys.counters(event.id), f"i:{scope}")
    before = int(await redis.hget(*counter))
    await redis.hincrby(*counter, 7)
    for n in range(TURNS - 1):
        assert await reconciler.sample() == 0
        # People come in meanwhile: what they move is kept.
        await scan(door, event, f"T-{6 + n}")
    assert await reconciler.sample() == 1
    assert int(await redis.hget(*counter)) == before + TURNS - 1
    assert await reconciler.compare(event.id) == []


async def test_what_is_on_its_way_is_left_alone(
    reconciler,
    sync,
    event,
) -> None:
    """Off by another number each time: nothing is repaired."""
    name = keys.counters(event.id)
    for _ in range(TURNS * 2):
        await sync.cache.redis.hincrby(name, "w:", 1)
        assert await reconciler.sample() == 0


async def test_the_sampler_brings_entries_anew(
    reconciler,
    sync,
    event,
) -> None:
    ticket = event.tickets["T-9"]
    await sync.cache.redis.hdel(keys.tickets(event.id), ticket.bytes)
    assert await reconciler.sample() == 1
    relay = Relay(sync.database, sync.cache)
    while await relay.turn():
        pass
    assert await reconciler.compare(event.id) == []


async def test_the_commands(
    reconciler,
    sync,
    event,
    database_url,
    redis_url,
    tmp_path,
) -> None:
    settings = Settings(
        database_url=database_url, redis_url=redis_url, data_dir=tmp_path
    )
    console = Console(record=True, width=100)
    assert await reconcile.run(settings, str(event.id), False, console)
    await sync.cache.redis.hincrby(keys.counters(event.id), "w:", 3)
    assert not await reconcile.run(settings, f"small-{event.id}", False, console)
    assert await reconcile.run(settings, f"small-{event.id}", True, console)
    text = console.export_text()
    assert "counter" in text
    assert "what the record says" in text
    findings = {
        one.subject: one for one in await preflight.run(settings, str(event.id))
    }
    assert {
        name: one.state for name, one in findings.items() if one.state == "bad"
    } == {}
    assert findings["cache"].state == "good"
    assert findings["operators"].state == "doubtful"
    # A session, and a place with a gate, of which no scope says what an entry means.
    await sync.database.pool.execute(
        "UPDATE sessions SET title = 'Atelier 李' WHERE id = $1", event.session
    )
    for scope in (event.session_scope, event.lounge_scope):
        await sync.database.pool.execute("DELETE FROM ops.scopes WHERE id = $1", scope)
    named = {one.subject: one for one in await preflight.run(settings, str(event.id))}
    assert (named["sessions"].state, named["places"].state) == ("bad", "bad")
    assert "Atelier 李" in named["sessions"].detail
    assert "VIP lounge" in named["places"].detail
    assert "POST /api/v1/scopes" in named["places"].detail
    await sync.database.pool.execute("DELETE FROM ops.ticket_codes")
    again = {
        one.subject: one.state for one in await preflight.run(settings, str(event.id))
    }
    assert again["tickets"] == "bad"
    with pytest.raises(SettingsError):
        await preflight.run(settings, "no-such-event")


async def test_a_visit_on_its_way_fills_no_cache_anew(
    reconciler,
    sync,
    door,
    event,
) -> None:
    """A desk that is slow to tell the cache is no difference that lasts."""
    place = keys.visits(event.id)
    held = await sync.cache.redis.hgetall(place)
    await sync.cache.redis.delete(place)
    epoch = await sync.cache.redis.hget(keys.meta(event.id), "epoch")
    reconciler._look_again_s = 0.3
    sampling = asyncio.create_task(reconciler.sample())
    await asyncio.sleep(0.1)
    await sync.cache.redis.hset(place, mapping=held)
    assert await sampling == 0
    assert await sync.cache.redis.hget(keys.meta(event.id), "epoch") == epoch
    # The control: gone for good, and the cache is filled anew.
    await sync.cache.redis.delete(place)
    assert await reconciler.sample() > 0
    assert await sync.cache.redis.hget(keys.meta(event.id), "epoch") != epoch
    assert await sync.cache.redis.hlen(place) == len(held)


async def test_a_machine_that_is_gone_is_named_and_retired(
    reconciler, sync, event, database_url, redis_url, tmp_path
) -> None:
    settings = Settings(
        database_url=database_url, redis_url=redis_url, data_dir=tmp_path
    )
    await sync.database.pool.execute(
        "INSERT INTO ops.machines (name) VALUES ('door-laptop-7')"
    )
    await sync.cache.redis.hset(keys.meta(event.id), "mode", "D")
    console = Console(record=True, width=100)
    await reconcile.run(settings, str(event.id), False, console)
    assert "door-laptop-7" in console.export_text()
    with pytest.raises(SettingsError):
        await reconcile.run(settings, str(event.id), False, console, "no-such-machine")
    await reconcile.run(settings, str(event.id), False, console, "door-laptop-7")
    assert "door-laptop-7" not in console.export_text()
    await sync.cache.redis.hset(keys.meta(event.id), "mode", "N")
    await reconcile.run(settings, str(event.id), False, console)
    assert "journal mode" not in console.export_text()
