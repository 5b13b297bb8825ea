"""The two sources of facts: whatever happened, the cache and PostgreSQL decide alike.

A random evening is played twice: at an event whose cache is warm (mode N) and at one
that has none (mode D2). Every answer must be the same, the visits as well, and the
counters that the scripts kept must be those that PostgreSQL counts from the rows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ops.admission.journal import Journal
from ops.admission.scan import Override, ScanRequest
from ops.auth.subjects import DeviceIdentity
from ops.cache import keys
from ops.cache.client import Cache
from ops.checkin.codes import Keyring
from ops.checkin.desk import Desk
from ops.checkin.plans import Plans
from ops.checkin.stores import Stores
from ops.checkin.undo import Undo
from ops.clock import FixedClock
from ops.crm_sync import statements
from ops.crm_sync.drain import Drain
from ops.crm_sync.relay import Relay
from ops.crm_sync.warm import Warmer
from ops.db.engine import Database
from ops.errors import OpsError
from ops.ids import uuid7
from tests.small_event import SmallEvent

PATIENT_S = (5.0, 5.0)
"""On a busy machine a slow answer is not the subject here."""


class Step(NamedTuple):
    """One thing that happens at the doors, `later_s` after the one before."""

    what: str
    later_s: int
    code: str = "T-1"
    device: str = "device"
    gate: str = ""
    direction: str = "in"
    admit: int | None = None


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


class House:
    """One event with a desk; `warm` gives it a cache."""

    def __init__(
        self, database: Database, cache: Cache, folder: Path, clock: FixedClock
    ) -> None:
        self.database, self.cache, self.clock = database, cache, clock
        self.stores = Stores(database, cache, clock, PATIENT_S)
        self.journal = Journal(folder)
        self.desk = Desk(
            database, self.stores, Plans(database), self.journal, Keyring({}), clock
        )
        self.undo = Undo(database, self.stores, self.desk, clock)
        self.relay, self.drain = Relay(database, cache), Drain(database, cache)
        self.event = SmallEvent()
        self.scans: list[ScanRequest] = []

    async def start(self, *, warm: bool) -> None:
        await self.journal.start()
        self.event = await SmallEvent.make(self.database.pool, tickets=2, capacity=6)
        await self.database.pool.execute(
            "WITH o AS (INSERT INTO ops.operators (id, event_id, name, role)"
            " VALUES ($1, $2, 'Dana', 'event_manager') RETURNING id)"
            " UPDATE ops.devices SET operator_id = o.id FROM o WHERE devices.id = $3",
            uuid7(),
            self.event.id,
            self.event.device,
        )
        if warm:
            warmer = Warmer(self.database, self.cache, self.drain.catch_up)
            assert await warmer.rebuild(self.event.id)

    async def stop(self) -> None:
        await self.desk.stop()
        await self.journal.stop()

    async def do(self, step: Step) -> Any:
        """Do it; what was answered, without ids."""
        if step.what in ("refund", "valid"):
            await self.database.pool.execute(
                "UPDATE tickets SET state = $2 WHERE id = $1",
                self.event.tickets[step.code],
                "refunded" if step.what == "refund" else "valid",
            )
            return None
        if step.what == "forget":
            await self.cache.redis.delete(keys.visits(self.event.id))
            return None
        if step.what == "undo":
            return await self._undo()
        if step.what == "again" and self.scans:
            return await self._scan(self.scans[-1], self.event.device)
        gate = getattr(self.event, step.gate) if step.gate else None
        scan = ScanRequest(
            uuid7(),
            step.code,
            direction="out" if step.direction == "out" else "in",
            gate_id=gate,
            admit=step.admit,
            override=Override("asked") if step.what == "override" else None,
        )
        self.scans.append(scan)
        return await self._scan(scan, getattr(self.event, step.device))

    async def _scan(self, scan: ScanRequest, device: UUID) -> Any:
        item = (await self.desk.scan(self.event.id, device, scan)).item
        await self.database.pool.execute(
            "UPDATE check_ins SET confirmed_at = now() WHERE confirmed_at IS NULL"
        )
        if item.error:
            return item.error
        if item.stored:
            undone = item.stored.undone_at is not None
            return "stored", item.stored.verdict, item.stored.reason, undone
        assert item.decision is not None
        one = item.decision
        return one.verdict, one.reason, one.people, one.just_now, len(one.choices)

    async def _undo(self) -> Any:
        if not self.scans:
            return None
        who = DeviceIdentity(
            self.event.device, 1, "Phone", "scan", frozenset({self.event.id}), b""
        )
        try:
            told = await self.undo.undo(
                self.event.id, self.scans[-1].id, who, "a wrong tap"
            )
        except OpsError as error:
            return error.code
        return told.replayed, told.people

    async def visits(self) -> list[tuple[Any, ...]]:
        """The rows, without ids."""
        rows = await self.database.pool.fetch(
            "SELECT a.first_name, s.name, c.person_no, c.pass_no,"
            " c.checked_out_at IS NULL, c.exit_assumed, c.undone_at IS NULL"
            " FROM check_ins c JOIN ops.scopes s ON s.id = c.scope_id"
            " JOIN attendees a ON a.id = c.attendee_id"
            " WHERE c.event_id = $1 ORDER BY 1, 2, 3, 4",
            self.event.id,
        )
        return [tuple(row) for row in rows]

    async def counters(self) -> dict[str, int]:
        found = await self.cache.redis.hgetall(keys.counters(self.event.id))
        return {
            name.decode(): int(value) for name, value in found.items() if value != b"0"
        }

    async def counted(self) -> dict[str, int]:
        rows = await self.database.pool.fetch(statements.COUNTERS, self.event.id)
        return {row["name"]: int(row["value"]) for row in rows if row["value"]}


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
