"""Uploads fall into place: any order of what doors saw alone ends as in order."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from ops.cache import keys
from ops.cache.client import Cache
from ops.clock import Clock
from ops.crm_sync.drain import Drain
from ops.crm_sync.merging import Merger
from ops.crm_sync.settler import Settler
from ops.crm_sync.warm import Warmer
from ops.db.engine import Database
from ops.runtime import Runtime
from tests.integration.offline.kit import Phone
from tests.integration.offline.test_returns import alone, conflicts_of, logged, upload
from tests.small_event import SmallEvent

STORY = """
SELECT door_time, exit_door_time, duration_minutes, is_present, event_day,
       checked_out_at IS NULL AS inside, exit_assumed, gate_id, exit_gate_id
  FROM check_ins WHERE ticket_id = $1 AND scope_id = $2 ORDER BY door_time
"""


SAID = ("already_inside", "unconfirmed")
NOW = datetime.now(UTC)


class World(NamedTuple):
    """An event with a warm cache, its three phones, and who looks after uploads."""

    event: SmallEvent
    phones: list[Phone]
    database: Database
    cache: Cache
    drain: Drain
    settler: Settler

    async def brings(self, records: list[tuple[int, dict[str, Any]]]) -> None:
        """Records by the number of their phone; waits until the log has them."""
        for n, phone in enumerate(self.phones):
            mine = [record for at, record in records if at == n]
            if mine:
                await upload(phone, mine)
        await logged(self.database, [record for _, record in records])

    async def settles(self) -> int:
        placed = 0
        for _ in range(50):
            placed += await self.settler.turn()
            if not await self.value("SELECT count(*) FROM ops.settling"):
                return placed
        raise AssertionError("the settler does not come to an end")

    async def value(self, query: str, *args: Any) -> Any:
        return await self.database.pool.fetchval(query, *args)

    async def open_conflicts(self, code: str) -> int:
        found: int = await self.value(
            "SELECT count(*) FROM ops.conflicts"
            " WHERE ticket_id = $1 AND resolved_at IS NULL",
            self.event.tickets[code],
        )
        return found

    async def story(self, code: str, scope: UUID | None = None) -> list[Any]:
        return await self.database.pool.fetch(
            STORY, self.event.tickets[code], scope or self.event.venue_scope
        )

    async def agrees(self) -> None:
        """Counters of cache and record are their rows, and no visit differs."""
        await self.drain.turn()
        found = await self.database.pool.fetch(
            "SELECT name, value FROM ops.counters_v1($1)", self.event.id
        )
        record = {row["name"]: int(row["value"]) for row in found if row["value"]}
        redis: Any = self.cache.redis
        told = await redis.hgetall(keys.counters(self.event.id))
        cache = {name.decode(): int(n) for name, n in told.items() if int(n)}
        hand = {name for name in record.keys() | cache.keys() if name[0] == "c"}
        assert {k: v for k, v in cache.items() if k not in hand} == {
            k: v for k, v in record.items() if k not in hand
        }
        off = await self.database.pool.fetch(
            "SELECT s.name FROM ops.scopes s WHERE s.event_id = $1 AND s.inside <>"
            " (SELECT count(*) FROM check_ins c WHERE c.scope_id = s.id"
            "   AND c.checked_out_at IS NULL AND c.undone_at IS NULL)",
            self.event.id,
        )
        assert off == []


@pytest.fixture
async def world(
    phone: Phone, event: SmallEvent, database: Database, redis_url: str
) -> AsyncIterator[World]:
    await event.add_tickets(
        database.pool, [(f"P-{n}", event.regular, f"Zoë {n}", 1) for n in range(140)]
    )
    cache = Cache(redis_url, timeout_s=5.0)
    drain = Drain(database, cache)
    await drain.start()
    assert await Warmer(database, cache, drain.catch_up).rebuild(event.id)
    phones = [
        phone,
        Phone(phone.http, event, event.other_device),
        Phone(phone.http, event, event.lounge_device),
    ]
    yield World(
        event, phones, database, cache, drain, Settler(database, cache, Clock())
    )
    await cache.stop()


def record(world: World, code: str, minutes: int, n: int) -> dict[str, Any]:
    """The n-th move of somebody: in, out, in .. at the main gate."""
    gate = {"gate_id": str(world.event.main_gate)}
    out = {"direction": "out"} if n % 2 else {}
    made = alone(code, "exited" if n % 2 else "admitted", **gate, **out)
    at = (NOW - timedelta(minutes=minutes)).isoformat()
    return made | {"scanned_at": at, "door": made["door"] | {"at": at}}


async def test_in_and_in_again_and_then_the_exit_between(
    world: World, bearer: dict[str, str]
) -> None:
    event = world.event
    first, out, second = (record(world, "P-1", 30 - 10 * n, n) for n in range(3))
    await world.brings([(0, first)])
    await world.brings([(1, second)])
    assert await world.open_conflicts("P-1") == 1
    assert await world.settles() == 0, "nothing explains it yet"
    await world.brings([(2, out)])
    # The control: without the settler the conflict stays, and the ticket is out.
    assert await world.open_conflicts("P-1") == 1
    assert (
        await world.value("SELECT inside FROM ops.areas WHERE id=$1", event.venue) == 0
    )
    assert await world.settles() == 1
    assert await world.open_conflicts("P-1") == 0
    one, two = await world.story("P-1")
    assert (one["duration_minutes"], one["is_present"], one["inside"]) == (
        10,
        False,
        False,
    )
    assert (two["duration_minutes"], two["is_present"], two["inside"]) == (
        None,
        True,
        True,
    )
    area = await world.database.pool.fetchrow(
        "SELECT inside, disputed FROM ops.areas WHERE id = $1", event.venue
    )
    assert tuple(area or ()) == (1, 0)
    await world.agrees()
    # The person who looks is told how it ended; the device gets what is true now.
    [told] = await conflicts_of(world.phones[0], bearer, 1)
    assert (told["resolution"], told["resolved_by"]) == ("placed", None)
    assert told["reason"] in SAID, "what was said before is kept"
    [again] = await upload(world.phones[1], [second])
    assert (again["verdict"], again["pass"], again["replayed"]) == ("admitted", 2, True)
    assert "Zoë 1" in again["message"]
    counts = {"admitted": 1, "exited": 0, "turned_away": 0, "waiting": 0}
    proof = await world.phones[1].post("offline-proof", counts)
    assert (proof["entries"], proof["conflicts"], proof["agrees"]) == (1, 0, True)
    # Live scans go on from there.
    assert (await world.phones[0].scan("P-1"))["reason"] in SAID
    left = await world.phones[0].scan("P-1", direction="out")
    assert (left["verdict"], left["reason"]) == ("exited", "ok")
    assert (await world.phones[0].scan("P-1"))["pass"] == 3
    await world.agrees()


async def test_any_order_ends_as_in_order(world: World) -> None:
    """All orders of three and four moves, some of five to seven; three phones; settled
    at once, now and then, or at the end."""
    chance = random.Random(20261127)
    orders = [list(o) for n in (3, 4) for o in itertools.permutations(range(n))]
    for n in (5, 6, 7):
        orders += [chance.sample(range(n), n) for _ in range(15)]
    plans = [(f"P-{at}", order) for at, order in enumerate(orders, 1)]
    twins = {n: f"T-{n}" for n in range(3, 8)}
    minutes = {code: chance.randint(80, 90) for code, _ in plans}
    for n, code in twins.items():
        for at in range(n):
            await world.brings([(0, record(world, code, 85 - 10 * at, at))])
    for turn in range(7):
        batch = [
            (
                chance.randrange(3),
                record(world, code, minutes[code] - 10 * order[turn], order[turn]),
            )
            for code, order in plans
            if turn < len(order)
        ]
        await world.brings(batch)
        if turn % 3 != 2:
            await world.settles()
    await world.settles()
    for code, order in plans:
        assert await world.open_conflicts(code) == 0, order
        mixed, plain = await world.story(code), await world.story(twins[len(order)])
        assert len(mixed) == len(plain), order
        for one, other in zip(mixed, plain, strict=True):
            names = ("duration_minutes", "is_present", "inside", "exit_assumed")
            assert [one[n] for n in names] == [other[n] for n in names], order
    disputed = await world.value(
        "SELECT disputed FROM ops.areas WHERE id = $1", world.event.venue
    )
    assert disputed == 0
    await world.agrees()


async def test_what_overlaps_keeps_exactly_its_conflicts(world: World) -> None:
    """Two entries and no exit between them: in each order one conflict, no more."""
    moves = [(60, 0), (50, 0), (40, 1), (30, 0)]  # in, in, out, in
    orders = list(itertools.permutations(range(4)))
    for turn in range(4):
        await world.brings(
            [
                (turn % 3, record(world, f"P-{n}", *moves[order[turn]]))
                for n, order in enumerate(orders)
            ]
        )
        await world.settles()
    for n, order in enumerate(orders):
        assert await world.open_conflicts(f"P-{n}") == 1, order
        assert sum(row["inside"] for row in await world.story(f"P-{n}")) == 1, order
    await world.agrees()


@pytest.mark.parametrize("re_entry", ["never", "after_exit"])
async def test_who_may_not_come_back_stays_a_conflict(
    world: World, re_entry: str
) -> None:
    await world.database.pool.execute(
        "UPDATE ops.scopes SET re_entry = $2 WHERE id = $1",
        world.event.venue_scope,
        re_entry,
    )
    records = [record(world, "P-1", 30 - 10 * n, n) for n in range(3)]
    for at in (0, 2, 1):
        await world.brings([(at, records[at])])
    await world.settles()
    assert await world.open_conflicts("P-1") == (1 if re_entry == "never" else 0)


async def test_an_entry_that_comes_in_meanwhile_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record moves between reading and writing: nothing is written on old news."""
    records = [record(world, "P-1", 30 - 10 * n, n) for n in range(3)]
    for at in (0, 2, 1):
        await world.brings([(at, records[at])])
    write, seen = world.settler._write, []

    async def late(*args: Any) -> Any:
        if not seen:
            # A live entry, committed between the look and the write.
            seen.append(await world.phones[0].scan("P-1"))
        return await write(*args)

    monkeypatch.setattr(world.settler, "_write", late)
    assert await world.settler.turn() == 0
    assert seen[0]["verdict"] == "admitted"
    await world.settles()
    inside = [row["inside"] for row in await world.story("P-1")]
    assert inside.count(True) == 1, "never two presences of one ticket"
    # A live entry while the record had them outside: a person looks at the other one.
    assert await world.open_conflicts("P-1") == 1
    await world.agrees()


async def test_a_lounge_is_entered_by_who_is_in_the_house(world: World) -> None:
    event = world.event
    gate = {"gate_id": str(event.lounge_gate)}
    moves = [
        alone("V-1", minutes=30, **gate),
        alone("V-1", "exited", minutes=20, direction="out", **gate),
        alone("V-1", minutes=10, **gate),
    ]
    for at in (0, 2, 1):
        await world.brings([(2, moves[at])])
    assert await world.settles() == 1
    story = await world.story("V-1", event.lounge_scope)
    assert [row["inside"] for row in story] == [False, True]
    assert [row["inside"] for row in await world.story("V-1")] == [True]
    await world.agrees()


async def test_two_settlers_settle_once(world: World) -> None:
    records = [record(world, "P-1", 30 - 10 * n, n) for n in range(3)]
    for at in (0, 2, 1):
        await world.brings([(at, records[at])])
    second = Settler(world.database, world.cache, Clock())
    done = await asyncio.gather(world.settler.turn(), second.turn())
    assert sum(done) == 1
    assert len(await world.story("P-1")) == 2
    facts = await world.value("SELECT count(*) FROM ops.facts WHERE kind = 'admitted'")
    assert facts == 2
    await world.agrees()


@pytest.mark.parametrize("noted", [True, False])
async def test_a_journal_of_before_brings_nothing_anew(
    world: World, runtime: Runtime, tmp_path: Path, noted: bool
) -> None:
    """The line of an entry names the pass that it had; its row has another by now. The
    control: without `settled` in the log the merge waits for what never comes."""
    records = [record(world, "P-1", 30 - 10 * n, n) for n in range(3)]
    for at in (2, 0, 1):
        await world.brings([(at, records[at])])
    assert await world.settles() == 1
    before = await world.story("P-1")
    if not noted:
        await world.value("UPDATE ops.scan_log SET args = args - 'settled'")
    await runtime.stop()
    merger = Merger(world.database, world.cache, tmp_path / "journal")
    assert await merger.all() is noted
    merger.stop()
    assert await world.story("P-1") == before
    assert await world.open_conflicts("P-1") == 0
