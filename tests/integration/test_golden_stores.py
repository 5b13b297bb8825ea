"""The golden table through real stores: facts from Redis, and facts from PostgreSQL.

Each case is written as rows, read back by the door's own queries, decided and
committed; the answer is that of the table whichever store the facts came from.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from ops.admission.commands import Item
from ops.admission.scan import ScanRequest
from ops.cache.client import Cache
from ops.checkin.pending import Pending
from ops.clock import FixedClock
from ops.crm_sync.warm import Warmer
from ops.db.engine import Database
from ops.ids import uuid7
from tests.golden_cases import (
    DEFAULTS,
    TABLE,
    as_expected,
    at_of,
    expected,
    override_of,
)
from tests.golden_world import World, scan_named
from tests.house import House
from tests.small_event import code_hash

CASES: list[dict[str, Any]] = [
    # No table takes a state that nobody knows.
    case
    for case in TABLE["cases"]
    if (case.get("ticket") or {}).get("state") != "something new"
]
OWN_EVENT = ("inside", "kept", "full")
"""What a case says of the whole event: it has one of its own."""


def groups() -> Iterator[list[dict[str, Any]]]:
    """Cases that may share an event."""
    by_plan: dict[str, list[dict[str, Any]]] = {}
    for case in CASES:
        own = case["name"] if any(name in case for name in OWN_EVENT) else ""
        key = json.dumps([own, case.get("change", {})], sort_keys=True)
        by_plan.setdefault(key, []).append(case)
    yield from by_plan.values()


class Player:
    """Writes worlds and plays cases in them."""

    def __init__(self, house: House, warmer: Warmer, clock: FixedClock) -> None:
        self.house, self.warmer, self.clock = house, warmer, clock
        self.worlds = 0
        self.modes: set[str] = set()

    async def play(self, cases: list[dict[str, Any]], *, warm: bool) -> list[str]:
        """Play cases of one event; the names of those that were decided otherwise."""
        self.worlds += 1
        pool = self.house.database.pool
        world = await World.make(pool, cases[0], self.worlds)
        codes = {case["name"]: f"{world.salt}-{n}" for n, case in enumerate(cases)}
        for case in cases:
            await world.device(case)
            if case.get("ticket", {}) is not None:
                await world.ticket(case, codes[case["name"]])
            await self._unknown(world, case, codes[case["name"]])
        if warm:
            assert await self.warmer.rebuild(world.event_id)
        wrong = []
        for case in cases:
            item = await self._scan(world, case, codes[case["name"]])
            assert item.decision is not None, (case["name"], item.error)
            said = as_expected(case, item.decision, world.named)
            if said != expected(case):
                wrong.append(f"{case['name']}: {said}")
            if item.decision.writes:
                assert item.durable == "committed", case["name"]
        return wrong

    async def _unknown(self, world: World, case: dict[str, Any], code: str) -> None:
        """What is known of a code that opens no ticket here."""
        pool = self.house.database.pool
        if case.get("code", {}).get("unbound"):
            await pool.execute(
                "INSERT INTO ops.media (event_id, code_hash) VALUES ($1, $2)",
                world.event_id,
                code_hash(code),
            )
        other = case.get("other_event")
        if other:
            event, kind, ticket = uuid7(), uuid7(), uuid7()
            await pool.execute(
                "INSERT INTO events (id, title, slug, starts_at, ends_at)"
                " VALUES ($1, $2, $3, $4::timestamptz,"
                " $4::timestamptz + interval '1 hour')",
                event,
                other["title"],
                str(event),
                datetime.fromisoformat(other["starts_at"]),
            )
            await pool.execute(
                "INSERT INTO ticket_types (id, event_id, name, price)"
                " VALUES ($1, $2, 'Day two', 0)",
                kind,
                event,
            )
            await pool.execute(
                "INSERT INTO tickets (id, event_id, ticket_type_id)"
                " VALUES ($1, $2, $3)",
                ticket,
                event,
                kind,
            )
            await pool.execute(
                "INSERT INTO ops.ticket_codes (event_id, code_hash, ticket_id)"
                " VALUES ($1, $2, $3)",
                event,
                code_hash(code),
                ticket,
            )

    async def _scan(self, world: World, case: dict[str, Any], code: str) -> Item:
        self.clock.move(at_of(case))
        scan = DEFAULTS["scan"] | case.get("scan", {})
        given = DEFAULTS["code"] | case.get("code", {})
        override = override_of(scan.get("override"))
        if override is not None and override.previous is not None:
            ticket = world.named("tickets", case["name"])
            seen = scan_named(scan["override"]["previous"], ticket)
            override = msgspec.structs.replace(override, previous=seen)

        def named(kind: str, name: str | None) -> UUID | None:
            return world.named(kind, name) if name else None

        answers = scan.get("answers")
        if answers is not None:
            answers = {
                name if name == "age" else str(world.named("questions", name)): value
                for name, value in answers.items()
            }
        request = ScanRequest(
            uuid7(),
            code,
            direction=scan["direction"],
            gate_id=named("gates", scan["gate"]),
            area_id=named("areas", scan.get("area")),
            session_id=named("sessions", scan.get("session")),
            admit=scan.get("admit"),
            whole_order=scan.get("whole_order", False),
            method=scan.get("method", "qr_code"),
            override=override,
            answers=answers,
        )
        key = code_hash(code)
        if given["kind"] == "ticket":
            key = b"T" + world.named("tickets", case["name"]).bytes
        device = await world.device(case)
        desk = await self.house.desk.event(world.event_id)
        await desk.know(device)
        pending = Pending(
            request,
            device,
            key,
            given["kind"],
            "..hint",
            bytes(16),
            lambda: bool(given["forged"]),
            asyncio.get_running_loop().create_future(),
            time.monotonic(),
        )
        answered = await desk.add(pending, "live")
        self.modes.add(desk.mode)
        return answered.item


@pytest.fixture
async def player(database: Database, redis_url: str, tmp_path: Path):
    cache = Cache(redis_url, timeout_s=5.0)
    clock = FixedClock(datetime.fromisoformat(DEFAULTS["at"]))
    house = House(database, cache, tmp_path, clock)
    await house.journal.start()
    yield Player(house, Warmer(database, cache, house.drain.catch_up), clock)
    await house.stop()
    await cache.stop()


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("warm", "mode"), [(True, "N"), (False, "D2")])
async def test_the_table_holds_in_real_stores(
    player: Player, warm: bool, mode: str
) -> None:
    wrong: list[str] = []
    for cases in groups():
        wrong += await player.play(cases, warm=warm)
    assert not wrong, "\n".join(wrong)
    assert player.modes == {mode}


async def test_a_wrong_expectation_is_seen(player: Player) -> None:
    """Negative control: rows that say something else are decided otherwise."""
    case = next(case for case in CASES if case["name"] == "somebody banned")
    other = case | {"ticket": {}}
    assert len(await player.play([other], warm=True)) == 1
