"""Plans are read once, kept, and never waited for twice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from ops.clock import FixedClock
from ops.errors import StoreUnavailable
from ops.live.plan import REFRESH_S_MIN, Plans
from ops.live.state import Plan
from tests.unit.live.test_state import EVENT, make_plan


class Reads:
    """A reader that answers when it is told to."""

    def __init__(self) -> None:
        self.plan: Plan | None = make_plan()
        self.fails = False
        self.count = 0
        self.held = asyncio.Event()
        self.held.set()

    async def __call__(self, event_id: UUID) -> Plan | None:
        self.count += 1
        await self.held.wait()
        if self.fails:
            raise StoreUnavailable()
        return self.plan


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 22, 14, 0, tzinfo=UTC))


@pytest.fixture
def reads() -> Reads:
    return Reads()


@pytest.fixture
def plans(reads: Reads, clock: FixedClock) -> Plans:
    return Plans(reads, clock)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_reading_serves_a_while(
    plans: Plans, reads: Reads, clock: FixedClock
) -> None:
    first = await plans.get(EVENT, "1")
    clock.move(clock.now() + timedelta(seconds=REFRESH_S_MIN - 0.1))
    assert await plans.get(EVENT, "1") is first
    await settle()
    assert reads.count == 1
    clock.move(clock.now() + timedelta(seconds=0.2))
    await plans.get(EVENT, "1")
    await settle()
    assert reads.count == 2
    # Equal plans stay the same object: nothing is sent anew.
    assert await plans.get(EVENT, "1") is first


async def test_a_new_version_is_read_at_once_and_told(
    plans: Plans, reads: Reads
) -> None:
    told: list[UUID] = []
    plans.on_new = told.append
    old = await plans.get(EVENT, "1")
    reads.plan = msgspec.structs.replace(make_plan(), refused_people=99)
    assert await plans.get(EVENT, "2") is old
    await settle()
    assert told == [EVENT]
    new = await plans.get(EVENT, "2")
    assert new is not None
    assert new.refused_people == 99


async def test_a_hanging_database_stops_nobody(
    plans: Plans, reads: Reads, clock: FixedClock
) -> None:
    known = await plans.get(EVENT, "1")
    reads.held.clear()
    for version in ("2", "3", "4"):
        assert await plans.get(EVENT, version) is known
        await settle()
    assert reads.count == 2  # one at a time
    plans.forget(EVENT)


async def test_without_postgresql_the_last_plan_serves_on(
    plans: Plans, reads: Reads
) -> None:
    known = await plans.get(EVENT, "1")
    reads.fails = True
    assert await plans.get(EVENT, "2") is known
    await settle()
    assert await plans.get(EVENT, "1") is known


async def test_nothing_known_and_no_answer_is_said(plans: Plans, reads: Reads) -> None:
    reads.fails = True
    with pytest.raises(StoreUnavailable):
        await plans.get(EVENT, "1")


async def test_no_such_event(plans: Plans, reads: Reads) -> None:
    reads.plan = None
    assert await plans.get(EVENT, "1") is None
