"""Jobs are claimed once, caught up, and moved with what they belong to."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ops.clock import FixedClock
from ops.crm_sync.duties import DUTIES
from ops.crm_sync.schedule import Schedule
from ops.db.engine import Database
from tests.small_event import SmallEvent

NOW = datetime.now(UTC)
JOB = "INSERT INTO ops.jobs (kind, key, due_at, every_seconds) VALUES ($1, $2, $3, $4)"
STATE = "SELECT due_at, done_at, attempts, last_error FROM ops.jobs WHERE key = $1"
ALERTS = "SELECT payload ->> 'name' FROM ops.facts WHERE kind = 'alert' ORDER BY id"


class Busy:
    """A duty that counts and takes its time."""

    def __init__(self, fails: int = 0) -> None:
        self.done: Counter[str] = Counter()
        self.fails = fails

    async def __call__(self, connection, job, now) -> None:
        await asyncio.sleep(0.01)
        await connection.execute(
            "INSERT INTO ops.facts (event_id, kind, payload)"
            " VALUES (gen_random_uuid(), 'alert', '{}')"
        )
        if self.fails:
            self.fails -= 1
            raise ValueError("not today")
        self.done[job.key] += 1


@pytest.mark.parametrize("locked", [True, False])
async def test_two_processes_do_a_job_once(database: Database, locked: bool) -> None:
    """The negative control takes SKIP LOCKED's lock away: then both do it."""
    duty = Busy()
    for n in range(20):
        await database.pool.execute(JOB, "busy", f"job {n}", NOW, None)
    schedules = [Schedule(database, FixedClock(NOW), {"busy": duty}) for _ in range(2)]
    if locked:
        done = await asyncio.gather(*(one.turn() for one in schedules))
        assert sum(done) == 20
        assert all(done), done
        assert set(duty.done.values()) == {1}
        return
    rows = await database.pool.fetch("SELECT key FROM ops.jobs WHERE due_at <= $1", NOW)
    claims = Counter(row["key"] for _ in schedules for row in rows)
    assert set(claims.values()) == {2}


async def test_a_process_that_dies_gives_its_job_back(database: Database) -> None:
    duty = Busy()
    await database.pool.execute(JOB, "busy", "a", NOW, None)
    first = await database.pool.acquire()
    transaction = first.transaction()
    await transaction.start()
    await first.execute("SELECT 1 FROM ops.jobs WHERE key = 'a' FOR UPDATE")
    schedule = Schedule(database, FixedClock(NOW), {"busy": duty})
    assert await schedule.turn() == 0
    first.terminate()
    await database.pool.release(first)
    async with asyncio.timeout(5):
        # PostgreSQL notices the dead connection a moment later.
        while not await schedule.turn():
            await database.pool.fetchval("SELECT pg_sleep(0.01)")
    assert duty.done == {"a": 1}


async def test_what_fell_due_meanwhile_is_done_once(database: Database) -> None:
    duty = Busy()
    due = NOW - timedelta(hours=3)
    await database.pool.execute(JOB, "busy", "once", due, None)
    await database.pool.execute(JOB, "busy", "often", due, 60)
    schedule = Schedule(database, FixedClock(NOW), {"busy": duty})
    assert await schedule.turn() == 2
    assert await schedule.turn() == 0
    assert duty.done == {"once": 1, "often": 1}
    often = await database.pool.fetchrow(STATE, "often")
    assert NOW < often["due_at"] <= NOW + timedelta(seconds=60)


async def test_a_failure_keeps_nothing_and_comes_again(database: Database) -> None:
    duty, clock = Busy(fails=1), FixedClock(NOW)
    await database.pool.execute(JOB, "busy", "a", NOW, None)
    schedule = Schedule(database, clock, {"busy": duty})
    await schedule.turn()
    state = await database.pool.fetchrow(STATE, "a")
    assert (state["attempts"], state["last_error"]) == (1, "ValueError")
    assert await database.pool.fetchval("SELECT count(*) FROM ops.facts") == 0
    clock.move(state["due_at"])
    assert await schedule.turn() == 1
    assert (await database.pool.fetchrow(STATE, "a"))["done_at"] is not None
    assert await database.pool.fetchval("SELECT count(*) FROM ops.facts") == 1


async def test_a_kind_that_nobody_knows_waits(database: Database) -> None:
    await database.pool.execute(JOB, "of tomorrow", "a", NOW, None)
    assert await Schedule(database, FixedClock(NOW), DUTIES).turn() == 0


async def test_the_programme_becomes_jobs(database: Database) -> None:
    event = await SmallEvent.make(database.pool, tickets=2)
    opens = NOW + timedelta(minutes=10)
    await database.pool.execute(
        "UPDATE sessions SET check_in_opens = $2, check_in_closes = $3 WHERE id = $1",
        event.session,
        opens,
        opens + timedelta(minutes=20),
    )
    clock = FixedClock(NOW)
    schedule = Schedule(database, clock, DUTIES)
    assert await schedule.plan() == 4  # check-outs are the closer's
    assert await schedule.plan() == 0, "planning again changes nothing"
    await schedule.turn()
    clock.move(opens - timedelta(seconds=1))
    await schedule.turn()
    assert [row[0] for row in await database.pool.fetch(ALERTS)] == []
    # Moved by half an hour: the job moves along.
    await database.pool.execute(
        "UPDATE sessions SET check_in_opens = $2 WHERE id = $1",
        event.session,
        opens + timedelta(minutes=30),
    )
    assert await schedule.plan() == 1
    clock.move(opens + timedelta(minutes=21))
    await schedule.turn()
    names = [row[0] for row in await database.pool.fetch(ALERTS)]
    assert names == ["check_in_closed"]
    clock.move(opens + timedelta(minutes=31))
    await schedule.turn()
    await schedule.turn()
    names = [row[0] for row in await database.pool.fetch(ALERTS)]
    assert names.count("check_in_opened") == 1
    assert await schedule.plan() == 0, "what was done stays done"
    assert (
        await database.pool.fetchval(
            "SELECT status FROM sessions WHERE id = $1", event.session
        )
        == "live"
    )


async def test_a_cancelled_session_is_not_due(database: Database) -> None:
    event = await SmallEvent.make(database.pool, tickets=1)
    await database.pool.execute(
        "UPDATE sessions SET check_in_opens = $2 WHERE id = $1",
        event.session,
        NOW + timedelta(minutes=1),
    )
    clock = FixedClock(NOW)
    schedule = Schedule(database, clock, DUTIES)
    await schedule.plan()
    await database.pool.execute(
        "UPDATE sessions SET status = 'cancelled' WHERE id = $1", event.session
    )
    await schedule.plan()
    clock.move(NOW + timedelta(minutes=5))
    await schedule.turn()
    assert await database.pool.fetch(ALERTS) == []
