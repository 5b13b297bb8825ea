"""Races at the door, and what holds them: each guard is also taken away once.

A test whose name begins with `without` is the negative control of the one above it:
the same race without the guard must show the harm, or the race proves nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from ops.admission import turns
from ops.admission.scan import ScanRequest
from ops.admission.turns import Turns
from ops.cache.client import Cache
from ops.checkin import event_desk
from ops.clock import Clock, FixedClock
from ops.db.engine import Database
from ops.ids import uuid7
from tests.house import House, Step
from tests.small_event import SmallEvent

TRIES = 60
"""How often a race is tried before its harm is called absent."""

NewHouse = Callable[..., Awaitable[House]]


@pytest.fixture
async def house(
    database: Database, redis_url: str, tmp_path: Path
) -> AsyncIterator[NewHouse]:
    """Make houses; the second and later ones serve the event of the first."""
    cache = Cache(redis_url, timeout_s=5.0)
    made: list[House] = []

    async def make(
        *, warm: bool = False, clock: Clock | None = None, apart: bool = False
    ) -> House:
        folder = tmp_path / "apart" if apart else tmp_path
        one = House(database, cache, folder, clock or Clock())
        if made:
            await one.join(made[0])
        else:
            await one.start(warm=warm)
        made.append(one)
        return one

    yield make
    for one in made:
        await one.stop()
    await cache.stop()


async def scan(house: House, code: str, scan_id: UUID | None = None, **fields: Any):
    request = ScanRequest(scan_id or uuid7(), code, **fields)
    return (await house.desk.scan(house.event.id, house.event.device, request)).item


def said(item: Any) -> str:
    if item.error:
        return str(item.error)
    one = item.stored or item.decision
    return f"{one.verdict} {one.reason}"


async def ticket(database: Database, event: SmallEvent) -> str:
    """A new ticket's code."""
    code = f"R-{uuid7()}"
    await event.add_ticket(database.pool, code, event.regular, "Ng")
    return code


async def rows(database: Database, event: SmallEvent, code: str) -> int:
    found = await database.pool.fetchval(
        "SELECT count(*) FROM check_ins WHERE ticket_id = $1", event.tickets[code]
    )
    return int(found)


async def rewrite(database: Database, function: str, text: str) -> None:
    """Take a guard out of a function of this test's database."""
    source = await database.pool.fetchval(
        "SELECT pg_get_functiondef(p.oid) FROM pg_proc p"
        " JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = 'ops' AND p.proname = $1",
        function,
    )
    assert text in source
    await database.pool.execute(source.replace(text, ""))


KEYS = {
    "a pass is used once": "(ticket_id, scope_id, person_no, pass_no)",
    "nobody is inside twice": "(ticket_id, scope_id, person_no) WHERE",
    "a scan admits a person once": "(scan_id, scope_id, person_no)",
    "an exit closes a visit once": "(exit_scan_id, scope_id, person_no)",
}


async def drop_keys(database: Database, *names: str) -> None:
    """Drop unique keys of check_ins."""
    for name in names:
        index = await database.pool.fetchval(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'check_ins'"
            " AND indexdef LIKE 'CREATE UNIQUE%' AND strpos(indexdef, $1) > 0",
            KEYS[name],
        )
        assert index, f"no key: {name}"
        await database.pool.execute(
            f"ALTER TABLE check_ins DROP CONSTRAINT IF EXISTS {index}"
        )
        await database.pool.execute(f"DROP INDEX IF EXISTS {index}")


# the four keys, one by one

OUT = datetime(2026, 6, 12, 10, tzinfo=UTC)
A, B, X = UUID(int=1), UUID(int=2), UUID(int=3)
PAIRS = {
    # pass, scan, closed at, exit scan: the second row hits its key and no other
    "a pass is used once": ((1, A, OUT, None), (1, B, None, None)),
    "nobody is inside twice": ((1, A, None, None), (2, B, None, None)),
    "a scan admits a person once": ((1, A, OUT, None), (2, A, None, None)),
    "an exit closes a visit once": ((1, A, OUT, X), (2, B, OUT, X)),
}


async def written(database: Database, event: SmallEvent, name: str) -> int:
    for pass_no, scan_id, closed, exit_scan in PAIRS[name]:
        await database.pool.execute(
            "INSERT INTO check_ins (id, event_id, ticket_id, attendee_id, scope_id,"
            " area_id, person_no, pass_no, scan_id, checked_out_at, exit_scan_id,"
            " check_in_method, device_id)"
            " SELECT $1, event_id, id, attendee_id, $2, $3, 1, $4, $5, $6, $7,"
            " 'qr_code', 'a test' FROM tickets WHERE id = $8 ON CONFLICT DO NOTHING",
            uuid7(),
            event.venue_scope,
            event.venue,
            pass_no,
            scan_id,
            closed,
            exit_scan,
            event.tickets["T-1"],
        )
    return await rows(database, event, "T-1")


@pytest.mark.parametrize("name", KEYS)
async def test_each_key_refuses_its_row(database: Database, name: str) -> None:
    event = await SmallEvent.make(database.pool, tickets=1)
    assert await written(database, event, name) == 1


@pytest.mark.parametrize("name", KEYS)
async def test_without_the_key_the_row_is_written(
    database: Database, name: str
) -> None:
    event = await SmallEvent.make(database.pool, tickets=1)
    await drop_keys(database, name)
    assert await written(database, event, name) == 2


# I1, I3: at most one admission, at most one green


async def test_one_ticket_two_processes_one_green(
    database: Database, house: NewHouse
) -> None:
    one, two = await house(), await house()
    for _ in range(20):
        code = await ticket(database, one.event)
        answers = await asyncio.gather(*(scan(h, code) for h in (one, two) * 5))
        greens = Counter(said(item).split()[0] for item in answers)["admitted"]
        assert (greens, await rows(database, one.event, code)) == (1, 1)
        await database.pool.execute("DELETE FROM check_ins")
        await database.pool.execute("UPDATE ops.areas SET inside = 0")


async def test_without_the_keys_two_greens(database: Database, house: NewHouse) -> None:
    # Apart: in one folder each would find the other's line in its journal (R8).
    one, two = await house(), await house(apart=True)
    await drop_keys(database, "a pass is used once", "nobody is inside twice")
    for _ in range(TRIES):
        code = await ticket(database, one.event)
        answers = await asyncio.gather(*(scan(h, code) for h in (one, two)))
        if [said(item) for item in answers].count("admitted ok") == 2:
            return
        await database.pool.execute("DELETE FROM check_ins")
        await database.pool.execute("UPDATE ops.areas SET inside = 0")
    pytest.fail("the race was never seen: the test above proves nothing")


# I4: the same scan id, the same answer


async def test_one_scan_id_at_two_processes_is_one_answer(
    database: Database, house: NewHouse
) -> None:
    one, two = await house(), await house()
    for _ in range(10):
        code, scan_id = await ticket(database, one.event), uuid7()
        answers = await asyncio.gather(*(scan(h, code, scan_id) for h in (one, two)))
        assert {said(item) for item in answers} == {"admitted ok"}
        assert await rows(database, one.event, code) == 1
        await database.pool.execute("DELETE FROM check_ins")
        await database.pool.execute("UPDATE ops.areas SET inside = 0")


async def test_one_scan_id_for_two_tickets_is_one_answer_and_one_conflict(
    database: Database, house: NewHouse
) -> None:
    one, two = await house(), await house()
    for _ in range(10):
        codes = [await ticket(database, one.event) for _ in range(2)]
        scan_id = uuid7()
        answers = await asyncio.gather(
            scan(one, codes[0], scan_id), scan(two, codes[1], scan_id)
        )
        assert sorted(said(item) for item in answers) == ["admitted ok", "conflict"]
        assert sum([await rows(database, one.event, code) for code in codes]) == 1
        await database.pool.execute("DELETE FROM check_ins")
        await database.pool.execute("UPDATE ops.areas SET inside = 0")


async def asked_twice(database: Database, house: NewHouse) -> list[str]:
    """A guest who is inside is turned away by one process; somebody of the ticket
    leaves, and the same request comes to the other process as well."""
    one, two = await house(), await house()
    code, scan_id = await ticket(database, one.event), uuid7()
    assert said(await scan(one, code)) == "admitted ok"
    await database.pool.execute("UPDATE check_ins SET confirmed_at = now()")
    red = said(await scan(two, code, scan_id))
    assert said(await scan(one, code, direction="out")) == "exited ok"
    return [red, said(await scan(one, code, scan_id))]


async def test_what_was_refused_stays_so_at_the_other_process(
    database: Database, house: NewHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although a refusal is written behind its answer."""
    monkeypatch.setattr(turns, "WAIT_S", 30.0)
    red, again = await asked_twice(database, house)
    assert red == again == "refused already_inside"


async def test_without_its_turn_a_scan_is_decided_anew(
    database: Database, house: NewHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def taken(self: Turns, scan_id: UUID) -> bool:
        return True

    monkeypatch.setattr(Turns, "take", taken)
    monkeypatch.setattr(event_desk, "LOG_AFTER_S", 600.0)
    red, again = await asked_twice(database, house)
    assert (red, again) == ("refused already_inside", "admitted ok")


# I5: red only where a green was shown


async def test_amber_until_the_green_was_shown(
    database: Database, house: NewHouse
) -> None:
    one = await house(clock=FixedClock(datetime.now(UTC)))
    await scan(one, "T-1")
    unseen = "UPDATE check_ins SET confirmed_at = NULL WHERE confirmed_at IS NOT NULL"
    while await database.pool.execute(unseen) != "UPDATE 1":  # noqa: ASYNC110
        await asyncio.sleep(0.01)  # it is confirmed behind its answer
    other = {"device": "other_device"}
    assert (await one.do(Step("scan", 0, **other)))[:2] == ("hold", "unconfirmed")
    # House.do confirms after each scan, as a device that has shown its verdict.
    assert (await one.do(Step("scan", 0, **other)))[:2] == ("refused", "already_inside")


# I6, I10, I11: counters, facts and the log follow the rows


async def test_counters_facts_and_log_follow_the_rows(
    database: Database, house: NewHouse
) -> None:
    one, two = await house(), await house()
    await database.pool.execute("UPDATE ops.areas SET capacity = NULL")
    codes = ["T-1", "T-2", "V-1", "V-2", "nobody's"]
    moves = [(random.choice(codes), random.choice(["in", "out"])) for _ in range(60)]
    await asyncio.gather(
        *(
            scan(house, code, direction=direction)
            for (code, direction), house in zip(moves, [one, two] * 30, strict=True)
        )
    )
    await one.desk.stop()
    await two.desk.stop()
    counted = await database.pool.fetchrow(
        "SELECT (SELECT sum(inside) FROM ops.scopes) AS inside,"
        " (SELECT count(*) FROM check_ins WHERE checked_out_at IS NULL) AS present,"
        " (SELECT count(*) FROM ops.facts WHERE kind = 'admitted') AS facts,"
        " (SELECT count(*) FROM check_ins) AS admissions,"
        " (SELECT count(*) FROM ops.facts WHERE kind = 'exited') AS exit_facts,"
        " (SELECT count(*) FROM check_ins WHERE checked_out_at IS NOT NULL) AS exits,"
        " (SELECT count(*) FROM ops.scan_log) AS logged"
    )
    assert counted["inside"] == counted["present"]
    assert counted["facts"] == counted["admissions"]
    assert counted["exit_facts"] == counted["exits"]
    assert counted["logged"] == len(moves)


# I7: never more than the limit


async def fill(database: Database, houses: list[House], places: int) -> int:
    """Race for the places of a new limit; how many got in."""
    event = houses[0].event
    await database.pool.execute("DELETE FROM check_ins")
    await database.pool.execute("UPDATE ops.scopes SET inside = 0")
    await database.pool.execute(
        "UPDATE ops.areas SET inside = 0, capacity = $2 WHERE id = $1",
        event.venue,
        places,
    )
    codes = [await ticket(database, event) for _ in range(places * 2)]
    answers = await asyncio.gather(
        *(scan(houses[number % len(houses)], code) for number, code in enumerate(codes))
    )
    return [said(item) for item in answers].count("admitted ok")


async def test_the_limit_under_a_race(database: Database, house: NewHouse) -> None:
    houses = [await house(), await house()]
    assert [await fill(database, houses, 5) for _ in range(5)] == [5] * 5


async def test_without_the_lock_the_limit_breaks(
    database: Database, house: NewHouse
) -> None:
    houses = [await house(), await house()]
    lock = "PERFORM pg_advisory_xact_lock(7301, p_event_no);"
    await rewrite(database, "commit_scans_v1", lock)
    for _ in range(TRIES):
        if await fill(database, houses, 5) > 5:
            return
    pytest.fail("the race was never seen: the test above proves nothing")


# I9: revoked before the scan, not admitted


async def test_a_refund_that_the_cache_has_not_heard_of(
    database: Database, house: NewHouse
) -> None:
    one = await house(warm=True)
    await one.do(Step("refund", 0))
    assert (await one.do(Step("scan", 0)))[:2] == ("refused", "refunded")


async def test_without_the_version_the_refunded_ticket_gets_in(
    database: Database, house: NewHouse
) -> None:
    one = await house(warm=True)
    await rewrite(database, "commit_scans_v1", "AND t.version = q.v")
    await one.do(Step("refund", 0))
    assert (await one.do(Step("scan", 0)))[:2] == ("admitted", "ok")


# I12: no outcome depends on two clocks


async def test_two_processes_whose_clocks_differ_by_two_hours(
    database: Database, house: NewHouse
) -> None:
    now = datetime.now(UTC)
    late = await house(clock=FixedClock(now - timedelta(hours=2)))
    await database.pool.execute(
        "UPDATE events SET admission_opens_at = NULL, starts_at = $2 WHERE id = $1",
        late.event.id,
        now - timedelta(hours=9),
    )
    early = await house(clock=FixedClock(now))
    for first, second in ((early, late), (late, early)):
        code = await ticket(database, late.event)
        assert said(await scan(first, code)) == "admitted ok"
        assert said(await scan(second, code)).split()[0] in ("refused", "hold")
        assert await rows(database, late.event, code) == 1


# batches that share tickets

_INSERT = (
    "INSERT INTO check_ins (id, event_id, ticket_id, attendee_id, scope_id, area_id,"
    " person_no, pass_no, scan_id, check_in_method, device_id)"
    " SELECT gen_random_uuid(), t.event_id, t.id, t.attendee_id, $2, $3, 1, 1,"
    " gen_random_uuid(), 'qr_code', 'a test'"
    " FROM unnest($1::uuid[]) WITH ORDINALITY AS q(id, n)"
    " JOIN tickets t ON t.id = q.id ORDER BY q.n ON CONFLICT DO NOTHING"
)


async def share(database: Database, event: SmallEvent, *, in_order: bool) -> int:
    """Two writers insert the same tickets at once; how many were cut short.

    This is the statement of a writer that does not take the event's lock.
    """
    tickets = [event.tickets[f"T-{n}"] for n in range(1, 41)]
    await database.pool.execute("DELETE FROM check_ins")

    async def write(seed: int) -> int:
        mine = list(tickets)
        random.Random(seed).shuffle(mine)
        if in_order:
            mine.sort()
        async with database.pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = '150ms'")
            try:
                async with connection.transaction():
                    # Two statements, so that the locks are held for a while.
                    for half in (mine[:20], mine[20:]):
                        await connection.execute(
                            _INSERT, half, event.venue_scope, event.venue
                        )
            except (
                asyncpg.DeadlockDetectedError,
                asyncpg.LockNotAvailableError,
            ):
                return 1
        return 0

    return sum(await asyncio.gather(write(1), write(2)))


async def test_sorted_rows_never_wait_for_each_other(database: Database) -> None:
    event = await SmallEvent.make(database.pool, tickets=40)
    assert [await share(database, event, in_order=True) for _ in range(15)] == [0] * 15


async def test_without_the_order_they_do(database: Database) -> None:
    event = await SmallEvent.make(database.pool, tickets=40)
    for _ in range(TRIES):
        if await share(database, event, in_order=False):
            return
    pytest.fail("the race was never seen: the test above proves nothing")
