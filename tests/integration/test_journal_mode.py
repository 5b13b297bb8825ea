"""Mode D over a real cache and real journals: the door goes on without PostgreSQL.

PostgreSQL is taken away by opening the breaker of a process, as two failures do; the
processes of `tests/faults/test_journal_mode.py` lose a server that is really stopped.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ops.admission.degraded import Degraded
from ops.admission.handed import Noted
from ops.admission.journals import read
from ops.cache import keys
from ops.cache.client import Cache
from ops.checkin import event_desk
from ops.clock import Clock
from ops.db.engine import Database
from tests.house import House
from tests.journal_kit import said, scan, take_away, written

NewHouse = Callable[..., Awaitable[House]]


@pytest.fixture
async def house(
    database: Database, redis_url: str, tmp_path: Path
) -> AsyncIterator[NewHouse]:
    """Make houses with a warm cache; later ones serve the event of the first."""
    cache = Cache(redis_url, timeout_s=5.0)
    made: list[House] = []

    async def make(*, gone: bool = True) -> House:
        one = House(database, cache, tmp_path, Clock())
        if made:
            await one.join(made[0])
        else:
            await one.start(warm=True)
        if gone:
            take_away(one)
        made.append(one)
        return one

    yield make
    for one in made:
        await one.stop()
    await cache.stop()


async def mode(house: House) -> tuple[bytes, int]:
    found = await house.cache.redis.hmget(keys.meta(house.event.id), ["mode", "epoch"])
    return found[0], int(found[1])


async def test_the_door_goes_on_by_the_journal(house: NewHouse) -> None:
    one = await house()
    before = await mode(one)
    item = await scan(one, "T-1")
    assert (said(item), item.durable) == ("admitted ok", "journal")
    assert await mode(one) == (b"D", before[1] + 1)
    (line,) = read(one.journal.path)
    assert (line.scan_id, line.mode) == (item.ask.scan.id, "D")
    assert not await one.database.pool.fetchval("SELECT count(*) FROM check_ins")
    assert (await one.counters())["g:1"] == 1


@pytest.mark.parametrize("follows", [True, False])
async def test_doors_that_were_opened_again_are_open_without_postgresql(
    house: NewHouse, *, follows: bool
) -> None:
    """Not following: the control, the last scan's plan shuts the gate."""
    one = await house(gone=False)
    state = "UPDATE ops.gates SET state = $2 WHERE id = $1"
    await one.database.pool.execute(state, one.event.main_gate, "closed")
    assert await one.rewarm()
    assert said(await scan(one, "T-1")) == "refused doors_closed"
    await one.database.pool.execute(state, one.event.main_gate, "open")
    assert await one.rewarm()
    if follows:
        await one.desk.follow_plans()
    take_away(one)
    verdict = "admitted ok" if follows else "refused doors_closed"
    assert said(await scan(one, "T-1")) == verdict


async def test_a_copy_is_amber_and_red_once_the_green_was_shown(
    house: NewHouse,
) -> None:
    one = await house()
    await scan(one, "T-1")
    assert said(await scan(one, "T-1", device="other_device")) in (
        "hold unconfirmed",
        "refused already_inside",
    )
    copy = "hold unconfirmed"
    while copy == "hold unconfirmed":  # the confirmation follows its answer
        await asyncio.sleep(0.01)
        copy = said(await scan(one, "T-1", device="other_device"))
    assert copy == "refused already_inside"


async def test_the_same_id_gets_the_same_answer(house: NewHouse) -> None:
    one, two = await house(), await house()
    green = await scan(one, "T-1")
    refused = await scan(one, "nobody knows this")
    for again in (one, two):
        await written(one, two)
        item = await scan(again, "T-1", green.ask.scan.id)
        assert item.stored is not None
        assert (said(item), item.stored.durable) == ("admitted ok", "journal")
        assert item.stored.decided_at is not None
        item = await scan(again, "nobody knows this", refused.ask.scan.id)
        assert item.stored is not None
        item = await scan(again, "T-2", green.ask.scan.id)
        assert said(item) == "conflict"


async def test_a_retry_waits_for_the_journal_alone(
    house: NewHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must find that its green was shown; the confirmation goes with who writes."""
    monkeypatch.setattr(event_desk, "CONFIRM_AFTER_S", 600.0)
    one = await house(gone=False)
    green = await scan(one, "T-1")
    again = await scan(one, "T-1", green.ask.scan.id)
    assert (said(again), again.stored is not None) == ("admitted ok", True)
    (line,) = read(one.journal.path)
    assert (line.mode, line.state) == ("N", "shown")
    assert not await one.database.pool.fetchval(
        "SELECT count(*) FROM check_ins WHERE confirmed_at IS NOT NULL"
    )


async def test_in_out_in_and_groups(house: NewHouse) -> None:
    one = await house()
    first = await scan(one, "G-1", admit=3)
    assert (said(first), first.decision.people) == ("admitted ok", 3)
    out = await scan(one, "G-1", direction="out", admit=2)
    assert (said(out), out.durable) == ("exited ok", "journal")
    assert said(await scan(one, "G-1")) == "hold needs_count"
    again = await scan(one, "G-1", admit=3)
    assert (said(again), again.decision.people) == ("admitted ok", 3)
    counters = await one.counters()
    scope = (await one.desk_plan()).scopes[one.event.venue_scope].no
    assert (counters[f"i:{scope}"], counters["w:"]) == (4, 2)


async def test_the_limit_holds_at_two_processes(house: NewHouse) -> None:
    one, two = await house(), await house()
    for n in range(10):
        await one.event.add_ticket(one.database.pool, f"L-{n}", one.event.regular, "Ng")
    assert await one.rewarm()
    answers = await asyncio.gather(
        *(scan(h, f"L-{n}") for n in range(10) for h in (one if n % 2 else two,))
    )
    verdicts = [said(item) for item in answers]
    assert verdicts.count("admitted ok") == 6
    assert verdicts.count("hold area_full") == 4


async def test_one_ticket_two_processes_at_most_one_green(house: NewHouse) -> None:
    one, two = await house(), await house()
    for n in range(30):
        code = f"R-{n}"
        await one.event.add_ticket(one.database.pool, code, one.event.vip, "李小龙")
    await one.database.pool.execute("UPDATE ops.areas SET capacity = NULL")
    await one.rewarm()
    for n in range(30):
        answers = await asyncio.gather(*(scan(h, f"R-{n}") for h in (one, two)))
        greens = [said(item) for item in answers].count("admitted ok")
        assert greens <= 1


async def test_leaving_the_venue_leaves_the_lounge(house: NewHouse) -> None:
    one = await house()
    item = await scan(one, "V-1", device="lounge_device")
    assert (said(item), len(item.decision.opens)) == ("admitted ok", 2)
    assert said(await scan(one, "V-1", direction="out")) == "exited ok"
    inside = {k: v for k, v in (await one.counters()).items() if k.startswith("i:")}
    assert not inside


async def test_both_gone_is_503_at_once(house: NewHouse) -> None:
    one = await house()
    for _ in range(2):
        one.stores.breaker.failed(one.clock.monotonic_s())
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    assert said(await scan(one, "T-1")) == "unavailable"
    assert loop.time() - started_s < 0.3


async def test_undo_has_to_wait(house: NewHouse) -> None:
    one = await house()
    one.scans.append((await scan(one, "T-1")).ask.scan)
    assert await one._undo() == "unavailable"


async def test_a_process_that_reaches_postgresql_follows_the_mode(
    house: NewHouse,
) -> None:
    cut, whole = await house(), await house(gone=False)
    assert said(await scan(whole, "T-1")) == "admitted ok"
    assert (await scan(cut, "T-2")).durable == "journal"
    item = await scan(whole, "V-1")
    assert (said(item), item.durable) == ("admitted ok", "journal")
    assert said(await scan(whole, "T-2")) in (
        "hold unconfirmed",
        "refused already_inside",
    )


async def test_a_scan_whose_look_failed_is_waited_for_by_nobody(
    house: NewHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its line said `pending` as long as its process lived: its own retry at another
    process got no answer, and a merge might wait for it for ever."""
    one, two = await house(), await house()
    look = one.journal.look

    async def fails(_: object) -> None:
        raise OSError("the disk does not answer")

    monkeypatch.setattr(one.journal, "look", fails)
    lost = await scan(one, "T-1")
    assert said(lost) == "unavailable"
    await written(one)
    (line,) = read(one.journal.path)
    assert (line.scan_id, line.state) == (lost.ask.scan.id, "cancelled")
    again = await scan(two, "T-1", lost.ask.scan.id)
    assert said(again) == "admitted ok", "its places are its own"
    monkeypatch.setattr(one.journal, "look", look)
    copy = await scan(one, "T-1", device="other_device")
    assert said(copy) in ("hold unconfirmed", "refused already_inside")


async def test_a_line_that_stays_open_keeps_the_retry_waiting(
    house: NewHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: nothing is noted of it."""
    monkeypatch.setattr(event_desk, "note", lambda _: Noted())
    one, two = await house(), await house()

    async def fails(_: object) -> None:
        raise OSError("the disk does not answer")

    monkeypatch.setattr(one.journal, "look", fails)
    lost = await scan(one, "T-1")
    (line,) = read(one.journal.path)
    assert line.state == "pending"
    assert said(await scan(two, "T-1", lost.ask.scan.id)) == "unavailable"


async def left_unseen(house: NewHouse, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """In N a process whose disk is full lets somebody out, and its neighbour, which has
    lost PostgreSQL, is asked the same; then the guest is asked for once more."""

    async def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    one, two = await house(gone=False), await house()
    await scan(one, "T-1")
    monkeypatch.setattr(one.journal, "append", full)
    exit_ = await scan(one, "T-1", direction="out")
    again = await scan(two, "T-1", exit_.ask.scan.id, direction="out")
    return [said(exit_), said(again)]


async def test_an_exit_that_no_journal_knows_of_is_not_answered_anew(
    house: NewHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    said_ = await left_unseen(house, monkeypatch)
    assert said_ == ["exited ok", "unavailable"]


async def test_without_a_look_at_who_left_it_is(
    house: NewHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Degraded, "_left_unseen", lambda self, items: iter(()))
    said_ = await left_unseen(house, monkeypatch)
    assert said_ == ["exited ok", "exited not_inside"]


async def test_who_left_by_a_journal_is_not_inside(house: NewHouse) -> None:
    one, two = await house(gone=False), await house()
    await scan(one, "T-1")
    exit_ = await scan(one, "T-1", direction="out")
    again = await scan(two, "T-1", exit_.ask.scan.id, direction="out")
    once_more = await scan(two, "T-1", direction="out")
    assert [said(x) for x in (exit_, again, once_more)] == [
        "exited ok",
        "exited ok",
        "exited not_inside",
    ]
