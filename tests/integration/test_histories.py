"""No history on which the two sources of facts differ, in numbers.

Hundreds of tickets live through random evenings at once: in, out, groups, undo,
overrides, answers, refunds, days that pass. One event reads its facts from Redis and
finishes there, its twin has no cache; every answer must be the same, and in the end the
visits in the cache must be those of PostgreSQL. A ticket's evening is one example:
HISTORIES=50000 in the long run (`make histories`).
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ops.admission.commands import ReadCache, ReadDatabase
from ops.admission.from_cache import CacheFacts, CacheRead
from ops.admission.from_database import DatabaseFacts, DatabaseRead
from ops.admission.scan import Override, ScanRequest
from ops.auth.subjects import DeviceIdentity
from ops.cache import keys
from ops.cache.client import Cache
from ops.clock import FixedClock
from ops.db.engine import Database
from ops.errors import OpsError
from ops.ids import uuid7
from tests.house import House
from tests.small_event import code_hash

HISTORIES = int(os.environ.get("HISTORIES", "500"))
AT_ONCE = 250
STEPS = 7
LATER_S = (1, 5, 20, 90, 700, 25_000, 90_000)
GATES = ("main_gate", "main_gate", "main_gate", "room_gate", "lounge_gate")

_RULES = (
    "UPDATE ops.scopes SET passes_per_day = 2, pass_gap_minutes = 1 WHERE id = $1",
    "UPDATE ops.scopes SET closes_at = now() + interval '30 days',"
    " anti_passback_minutes = 2, passes_total = 4 WHERE id = $1",
    "UPDATE ops.areas SET capacity = 100000 WHERE id = $1",
)


class Twin:
    """An event of many tickets in a house of its own."""

    def __init__(self, house: House, question: UUID) -> None:
        self.house, self.question = house, question
        self.codes: list[str] = []
        self.last: dict[str, UUID] = {}

    async def prepare(self, seed: int) -> None:
        """The rules and the tickets; the same seed makes the same."""
        rng, event = random.Random(seed), self.house.event
        run = self.house.database.pool.execute
        for statement, place in zip(
            _RULES, (event.venue_scope, event.session_scope, event.venue), strict=True
        ):
            await run(statement, place)
        await run(
            "UPDATE events SET ends_at = now() + interval '30 days' WHERE id = $1",
            event.id,
        )
        await run(
            "INSERT INTO ops.questions (id, event_id, kind, scope_id)"
            " VALUES ($1, $2, 'yes_no', $3)",
            self.question,
            event.id,
            event.lounge_scope,
        )
        kinds = (event.regular, event.vip, event.vip, event.group)
        for number in range(AT_ONCE):
            kind = rng.choice(kinds)
            code = f"H-{number}"
            ticket = await event.add_ticket(
                self.house.database.pool,
                code,
                kind,
                f"Guest {number}",
                admits=4 if kind == event.group else 1,
            )
            if rng.random() < 0.2:
                await run(
                    "INSERT INTO ops.exemptions (event_id, ticket_id, passes_per_day,"
                    " re_entry) VALUES ($1, $2, $3, $4)",
                    event.id,
                    ticket,
                    rng.choice([1, 3]),
                    rng.choice(["never", "always", None]),
                )
            self.codes.append(code)

    async def step(self, seed: int) -> list[Any]:
        """One thing for every ticket, all at the same moment."""
        rng = random.Random(seed)
        acts = [self._act(code, rng) for code in self.codes]
        said = await asyncio.gather(*acts)
        # Answers that wait for the next batch (0.1 s) are written before the next step.
        await (await self.house.desk.event(self.house.event.id))._flush()
        await self.house.database.pool.execute(
            "UPDATE check_ins SET confirmed_at = now() WHERE confirmed_at IS NULL"
        )
        return said

    def _act(self, code: str, rng: random.Random) -> Any:
        what = rng.choices(("scan", "undo", "refund", "valid"), (20, 2, 1, 2))[0]
        fields = {
            "direction": rng.choice(("in", "in", "in", "out")),
            "gate_id": getattr(self.house.event, rng.choice(GATES)),
            "admit": rng.choice((None, None, 1, 2, 4)),
            "whole_order": rng.random() < 0.1,
            "answers": rng.choice((None, {}, {str(self.question): True})),
            "override": Override("asked") if rng.random() < 0.05 else None,
            "offline": rng.random() < 0.05,
        }
        device = rng.choice((self.house.event.device, self.house.event.other_device))
        if what == "undo":
            return self._undo(code)
        if what != "scan":
            return self._state(code, "refunded" if what == "refund" else "valid")
        return self._scan(code, device, fields)

    async def _scan(self, code: str, device: UUID, fields: dict[str, Any]) -> Any:
        scan = ScanRequest(uuid7(), code, **fields)
        if scan.offline:
            early = self.house.clock.now() - timedelta(seconds=30)
            fields = fields | {"scanned_at": early}
            scan = ScanRequest(scan.id, code, **fields)
        self.last[code] = scan.id
        item = (await self.house.desk.scan(self.house.event.id, device, scan)).item
        assert not item.error, item.error
        one = item.decision
        assert one is not None
        opens = [(o.scope.name, o.person_no, o.pass_no, o.past) for o in one.opens]
        closes = [(c.scope.name, c.person_no) for c in one.closes if c.must]
        asked = len(one.questions), len(one.given), len(one.choices)
        told = (one.verdict, one.reason, one.people, one.just_now, one.overridden)
        return (*told, opens, closes, asked)

    async def _undo(self, code: str) -> Any:
        if code not in self.last:
            return None
        event = self.house.event
        who = DeviceIdentity(
            event.device, 1, "Phone", "scan", frozenset({event.id}), b""
        )
        try:
            told = await self.house.undo.undo(event.id, self.last[code], who, "a tap")
        except OpsError as error:
            return error.code
        return told.replayed, told.people

    async def _state(self, code: str, state: str) -> None:
        await self.house.database.pool.execute(
            "UPDATE tickets SET state = $2 WHERE id = $1",
            self.house.event.tickets[code],
            state,
        )

    async def agree(self) -> None:
        """What the cache holds of each ticket is what PostgreSQL says."""
        house, event = self.house, self.house.event
        scopes = tuple((await house.desk.event(event.id)).plan.scopes.values())
        codes = [code_hash(code) for code in self.codes]
        cached = await house.stores.read_cache(
            event.id, ReadCache([CacheRead(c, scopes, event.device) for c in codes])
        )
        stored = await house.stores.read_database(
            event.id,
            ReadDatabase(
                [DatabaseRead(uuid7(), c, scopes, event.device) for c in codes]
            ),
        )
        assert isinstance(cached, CacheFacts)
        assert isinstance(stored, DatabaseFacts)
        for code, ours, theirs in zip(
            self.codes, cached.facts, stored.facts, strict=True
        ):
            for key in ours.visits.keys() | theirs.visits.keys():
                one, other = ours.visits.get(key), theirs.visits.get(key)
                assert one is not None, (code, key, other)
                assert other is not None, (code, key, one)
                for name in ("pass_no", "phase", "undone", "day", "day_used", "used"):
                    said = getattr(one, name), getattr(other, name)
                    assert said[0] == said[1], (code, key, name, said)


class Houses:
    """Houses on the stores of one test."""

    def __init__(self, database: Database, cache: Cache, folder: Path) -> None:
        self.database, self.cache, self.folder = database, cache, folder
        self.open: list[House] = []

    async def cold(self, clock: FixedClock) -> House:
        """A house with an event of its own, whose cache is empty."""
        house = House(self.database, self.cache, self.folder, clock)
        self.open.append(house)
        await house.start(warm=False)
        return house

    async def close(self) -> None:
        while self.open:
            await self.open.pop().stop()


@pytest.fixture
async def houses(
    database: Database, redis_url: str, tmp_path: Path
) -> AsyncIterator[Houses]:
    cache = Cache(redis_url, timeout_s=5.0)
    houses = Houses(database, cache, tmp_path)
    yield houses
    await houses.close()
    await cache.stop()


async def two(houses: Houses, seed: int) -> tuple[Twin, Twin, FixedClock]:
    """The twins: one with a cache, one without."""
    clock, twins = FixedClock(datetime.now(UTC)), []
    for warm in (True, False):
        house = await houses.cold(clock)
        twin = Twin(house, uuid7())
        await twin.prepare(seed)
        if warm:
            assert await house.rewarm()
        twins.append(twin)
    return twins[0], twins[1], clock


long = pytest.mark.timeout(max(180, HISTORIES))
many = settings(
    max_examples=max(1, HISTORIES // AT_ONCE),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@long
@many
@given(
    seed=st.integers(0, 2**31),
    steps=st.lists(st.sampled_from(LATER_S), min_size=STEPS, max_size=STEPS),
)
async def test_no_history_on_which_the_sources_differ(
    houses: Houses, seed: int, steps: list[int]
) -> None:
    warm, bare, clock = await two(houses, seed)
    for number, later_s in enumerate(steps):
        clock.move(clock.at + timedelta(seconds=later_s))
        said, also = await warm.step(seed + number), await bare.step(seed + number)
        for code, one, other in zip(warm.codes, said, also, strict=True):
            assert one == other, f"step {number}, {code}"
    await warm.agree()
    await houses.close()


async def test_a_cache_that_forgot_is_seen(houses: Houses) -> None:
    """Negative control: without what the desk told it, the cache does not agree."""
    warm, _, _ = await two(houses, 7)
    await warm.step(7)
    await warm.agree()
    house = warm.house
    await house.cache.redis.delete(keys.visits(house.event.id))
    with pytest.raises(AssertionError):
        await warm.agree()
