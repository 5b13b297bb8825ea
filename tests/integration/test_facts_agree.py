"""The two sources of facts: whatever happened, the cache and PostgreSQL decide alike.

A random evening is played twice: at an event whose cache is warm (mode N) and at one
that has none (mode D2). Every answer must be the same, the visits as well, and the
counters that the scripts kept must be those that PostgreSQL counts from the rows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ops.cache import keys
from ops.cache.client import Cache
from ops.clock import FixedClock
from ops.db.engine import Database
from tests.house import House, Step

SCANS = st.builds(
    Step,
    what=st.just("scan"),
    later_s=st.sampled_from([1, 5, 20, 700]),
    code=st.sampled_from(["T-1", "T-1", "T-2", "V-1", "G-1", "nobody's"]),
    device=st.sampled_from(["device", "other_device", "lounge_device"]),
    gate=st.sampled_from(["", "", "", "room_gate", "lounge_gate"]),
    direction=st.sampled_from(["in", "in", "in", "out"]),
    admit=st.sampled_from([None, None, 1, 2, 5]),
)
OTHERS = st.builds(
    Step,
    what=st.sampled_from(["undo", "again", "override", "refund", "valid"]),
    later_s=st.just(20),
    code=st.sampled_from(["T-1", "V-1", "G-1"]),
    device=st.just("device"),
    gate=st.just(""),
    direction=st.just("in"),
    admit=st.sampled_from([None, 2]),
)
EVENINGS = st.lists(st.one_of(SCANS, SCANS, SCANS, OTHERS), min_size=1, max_size=14)
FORGETFUL = st.lists(
    st.one_of(SCANS, SCANS, SCANS, st.just(Step("forget", 1))), min_size=2, max_size=12
)


class Houses:
    """Pairs of houses on the stores of one test."""

    def __init__(self, database: Database, cache: Cache, folder: Path) -> None:
        self.database, self.cache, self.folder = database, cache, folder
        self.open: list[House] = []

    async def two(self) -> tuple[House, House, FixedClock]:
        clock = FixedClock(datetime.now(UTC))
        pair = [House(self.database, self.cache, self.folder, clock) for _ in range(2)]
        for house, warm in zip(pair, (True, False), strict=True):
            self.open.append(house)
            await house.start(warm=warm)
        return pair[0], pair[1], clock

    async def twin(self, house: House) -> House:
        """A second process at the same event."""
        other = House(self.database, self.cache, self.folder, house.clock)
        self.open.append(other)
        await other.join(house)
        return other

    async def close(self) -> None:
        while self.open:
            await self.open.pop().stop()


@pytest.fixture
async def houses(database: Database, redis_url: str, tmp_path: Path):
    cache = Cache(redis_url, timeout_s=5.0)
    houses = Houses(database, cache, tmp_path)
    yield houses
    await houses.close()
    await cache.stop()


def evening(steps: st.SearchStrategy[list[Step]], examples: int):
    """A property over evenings; its stores are those of the test, events are new.

    Nothing is shrunk: each try costs two events in real stores.
    """

    def decorate(test):
        quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
        limits = settings(
            max_examples=examples,
            deadline=None,
            suppress_health_check=quiet,
            phases=[Phase.explicit, Phase.generate],
        )
        return limits(given(steps=steps)(test))

    return decorate


async def play(houses: Houses, steps: list[Step]) -> tuple[House, House]:
    warm, bare, clock = await houses.two()
    for number, step in enumerate(steps):
        clock.move(clock.at + timedelta(seconds=step.later_s))
        said = await warm.do(step)
        assert said == await bare.do(step), f"step {number}: {step}"
    assert await warm.visits() == await bare.visits()
    return warm, bare


@pytest.mark.timeout(180)
@evening(EVENINGS, examples=25)
async def test_both_sources_decide_alike(houses: Houses, steps: list[Step]) -> None:
    warm, bare = await play(houses, steps)
    await houses.close()
    modes = await houses.database.pool.fetch(
        "SELECT DISTINCT event_id, mode FROM check_ins WHERE event_id = ANY ($1)",
        [warm.event.id, bare.event.id],
    )
    expected = {warm.event.id: "N", bare.event.id: "D2"}
    assert all(expected[row["event_id"]] == row["mode"] for row in modes)
    assert await warm.counters() == await warm.counted()


@pytest.mark.timeout(180)
@evening(FORGETFUL, examples=15)
async def test_a_cache_that_forgets_visits_changes_no_answer(
    houses: Houses, steps: list[Step]
) -> None:
    await play(houses, steps)
    await houses.close()


async def test_a_retry_within_the_blink_before_the_log_is_written(
    houses: Houses,
) -> None:
    """An exit while outside is an answer; the same id never becomes an exit."""
    for one in (await houses.two())[:2]:
        outside = Step("scan", 0, direction="out")
        assert (await one.do(outside))[:2] == ("exited", "not_inside")
        left = one.scans[-1]
        assert (await one.do(Step("scan", 0)))[0] == "admitted"
        again = await one.answer(left, one.event.device)
        assert again[:3] == ("stored", "exited", "not_inside")
        assert await one.answer(left, one.event.other_device) == "conflict"


async def test_an_answer_of_another_process_is_no_exit(houses: Houses) -> None:
    """The cache says inside, the log says answered: the commit must not close."""
    one, _, _ = await houses.two()
    outside = Step("scan", 0, direction="out")
    assert (await one.do(outside))[:2] == ("exited", "not_inside")
    left = one.scans[-1]
    await one.desk.stop()
    other = await houses.twin(one)
    assert (await other.do(Step("scan", 0)))[0] == "admitted"
    again = await other.answer(left, one.event.device)
    assert again[:3] == ("stored", "exited", "not_inside")


async def test_without_the_arbiter_the_forgetful_cache_would_admit_twice(
    houses: Houses,
) -> None:
    """Negative control: the cache alone, after it forgot, says yes again."""
    warm, _, _ = await houses.two()
    assert (await warm.do(Step("scan", 1)))[0] == "admitted"
    await warm.do(Step("forget", 1))
    found = await warm.cache.redis.hlen(keys.visits(warm.event.id))
    assert found == 0, "the cache knows of nobody inside"
    index = await warm.database.pool.fetch(
        "SELECT indexname FROM pg_indexes WHERE tablename = 'check_ins'"
        " AND indexdef LIKE '%UNIQUE%' AND indexdef LIKE '%person_no%'"
    )
    for row in index:
        await warm.database.pool.execute(
            f"ALTER TABLE check_ins DROP CONSTRAINT IF EXISTS {row['indexname']}"
        )
        await warm.database.pool.execute(f"DROP INDEX IF EXISTS {row['indexname']}")
    assert len(index) == 4
    again = await warm.do(Step("scan", 20, device="other_device"))
    assert again[0] == "admitted", "two admissions of one ticket"
