"""The closer over real stores: rows, facts, counters and the cache follow."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops.admission.scan import ScanRequest
from ops.cache.client import Cache
from ops.clock import FixedClock
from ops.crm_sync.closer import Closer
from ops.db.engine import Database
from ops.ids import uuid7
from tests.house import House, Step


class Evening:
    """A house whose clock moves, with a warm cache and a closer."""

    def __init__(self, house: House, clock: FixedClock) -> None:
        self.house, self.clock = house, clock
        self.pool = house.database.pool
        self.closer = Closer(house.database, clock)

    def later(self, minutes: float) -> None:
        self.clock.move(self.clock.at + timedelta(minutes=minutes))

    async def open_rows(self) -> int:
        return await self.pool.fetchval(
            "SELECT count(*) FROM check_ins WHERE event_id = $1"
            " AND checked_out_at IS NULL",
            self.house.event.id,
        )


@pytest.fixture
async def evening(database: Database, redis_url: str, tmp_path: Path):
    cache = Cache(redis_url, timeout_s=5.0)
    clock = FixedClock(datetime.now(UTC))
    house = House(database, cache, tmp_path, clock)
    await house.drain.start()
    await house.start(warm=True)
    yield Evening(house, clock)
    await house.stop()
    await cache.stop()


async def test_a_session_empties_at_its_end(evening: Evening) -> None:
    house, event = evening.house, evening.house.event
    evening.later(10.5)
    for code in ("T-1", "V-1"):
        assert (await house.do(Step("scan", 0, code=code, gate="room_gate")))[
            0
        ] == "admitted"
    assert await evening.closer.turn() == 0, "the session is on"
    evening.later(60)
    assert await evening.closer.turn() == 2
    assert await evening.closer.turn() == 0, "twice is once"
    row = await evening.pool.fetchrow(
        "SELECT c.*, s.end_time FROM check_ins c JOIN sessions s ON s.id = $2"
        " WHERE scope_id = $1 LIMIT 1",
        event.session_scope,
        event.session,
    )
    assert row["exit_assumed"]
    assert not row["is_present"]
    assert row["checked_out_at"] == row["end_time"], "no minute that nobody saw"
    assert row["duration_minutes"] == 49, "from 10:30 to 60:00, begun ones not"
    assert await evening.open_rows() == 2, "they are in the venue still"
    inside = await evening.pool.fetchval(
        "SELECT inside FROM ops.scopes WHERE id = $1", event.session_scope
    )
    assert inside == 0
    while await house.drain.turn():
        pass
    assert await house.counters() == await house.counted()


async def test_a_late_guest_of_a_session_that_is_over_leaves_with_it(
    evening: Evening,
) -> None:
    """An override into a session that is over ends at once, without minutes."""
    evening.later(90)
    await evening.house.do(Step("override", 0, code="T-1", gate="room_gate"))
    await evening.closer.turn()
    row = await evening.pool.fetchrow(
        "SELECT * FROM check_ins WHERE scope_id = $1", evening.house.event.session_scope
    )
    assert row["checked_out_at"] == row["checked_in_at"]
    assert row["duration_minutes"] == 0


async def test_a_local_time_empties_the_venue_once_and_passes_stay(
    evening: Evening,
) -> None:
    house, event = evening.house, evening.house.event
    await house.do(Step("scan", 0, code="V-1", gate="lounge_gate"))
    local = (evening.clock.at + timedelta(minutes=30)).astimezone(UTC)
    await evening.pool.execute(
        "UPDATE events SET timezone = 'UTC' WHERE id = $1", event.id
    )
    await evening.pool.execute(
        "UPDATE ops.scopes SET exits_assumed_at = $2 WHERE id = $1",
        event.venue_scope,
        local.time().replace(second=0, microsecond=0),
    )
    assert await evening.closer.turn() == 0
    evening.later(31)
    assert await evening.closer.turn() == 2, "the lounge lies in the venue"
    while await house.drain.turn():
        pass
    assert await house.counters() == await house.counted()
    # Whoever is scanned after that time stays, and it is the next pass.
    scan = ScanRequest(uuid7(), "V-1")
    assert (await house.answer(scan, event.other_device))[:2] == ("admitted", "ok")
    assert await evening.closer.turn() == 0
    assert await evening.open_rows() == 1
    passes = await evening.pool.fetch(
        "SELECT pass_no, event_day FROM check_ins WHERE scope_id = $1 ORDER BY pass_no",
        event.venue_scope,
    )
    assert [row["pass_no"] for row in passes] == [1, 2]
    assert all(row["event_day"] for row in passes)


async def test_two_closers_at_once_end_each_presence_once(evening: Evening) -> None:
    evening.later(10)
    for code in ("T-1", "T-2", "V-1", "V-2"):
        await evening.house.do(Step("scan", 0, code=code, gate="room_gate"))
    evening.later(60)
    other = Closer(evening.house.database, evening.clock)
    ended = await asyncio.gather(evening.closer.turn(), other.turn())
    assert sum(ended) == 4
    facts = await evening.pool.fetchval(
        "SELECT count(*) FROM ops.facts WHERE event_id = $1 AND kind = 'exited'",
        evening.house.event.id,
    )
    assert facts == 4
