"""The desk against real stores: admitted once, and every answer kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from ops.admission.journal import Journal
from ops.admission.journals import read
from ops.admission.scan import DoorDecision, ScanRequest
from ops.cache.client import Cache
from ops.checkin.codes import Keyring
from ops.checkin.desk import Desk
from ops.checkin.pending import Answered
from ops.checkin.plans import Plans
from ops.checkin.stores import Stores
from ops.clock import Clock
from ops.db.engine import Database
from ops.ids import uuid7
from tests.small_event import SmallEvent


@pytest.fixture
async def event(database: Database) -> SmallEvent:
    return await SmallEvent.make(database.pool)


class Door:
    """A desk with its parts, as one process has them."""

    def __init__(self, database: Database, redis_url: str, folder: Path) -> None:
        self.clock = Clock()
        self.database = database
        self.cache = Cache(redis_url, timeout_s=2.0)
        self.stores = Stores(database, self.cache, self.clock, tries_s=(5.0, 5.0))
        self.journal = Journal(folder)
        self.desk = Desk(
            database,
            self.stores,
            Plans(database),
            self.journal,
            Keyring({}),
            self.clock,
        )

    async def start(self) -> None:
        await self.journal.start()

    async def stop(self) -> None:
        await self.desk.stop()
        await self.journal.stop()
        await self.cache.stop()


@pytest.fixture
async def door(
    database: Database, redis_url: str, tmp_path: Path
) -> AsyncIterator[Door]:
    door = Door(database, redis_url, tmp_path)
    await door.start()
    yield door
    await door.stop()


async def scan(
    door: Door,
    event: SmallEvent,
    code: str,
    device: UUID | None = None,
    /,
    **fields,
) -> Answered:
    request = ScanRequest(**{"id": uuid7(), "code": code, **fields})
    return await door.desk.scan(event.id, device or event.device, request)


def said(answered: Answered) -> tuple[str, str]:
    item = answered.item
    assert not item.error, item.error
    if item.stored is not None:
        return item.stored.verdict, item.stored.reason
    assert item.decision is not None
    return item.decision.verdict, item.decision.reason


async def test_a_ticket_is_admitted_and_stands_in_the_database(door, event, database):
    answered = await scan(door, event, "T-1")
    assert said(answered) == ("admitted", "ok")
    row = await database.pool.fetchrow(
        "SELECT * FROM check_ins WHERE ticket_id = $1", event.tickets["T-1"]
    )
    assert row["scan_id"] == answered.item.ask.scan.id
    assert row["pass_no"] == 1
    assert (
        await database.pool.fetchval(
            "SELECT inside FROM ops.scopes WHERE id = $1", event.venue_scope
        )
        == 1
    )
    lines = list(read(door.journal.path))
    assert [line.scan_id for line in lines] == [answered.item.ask.scan.id]


async def test_fifty_at_once_give_one_admission(door, event, database):
    answers = await asyncio.gather(
        *(
            scan(door, event, "T-2", event.device if n % 2 else event.other_device)
            for n in range(50)
        )
    )
    verdicts = Counter(said(answered)[0] for answered in answers)
    assert verdicts["admitted"] == 1
    assert await database.pool.fetchval("SELECT count(*) FROM check_ins") == 1


async def test_same_id_same_answer(door, event):
    scan_id = uuid7()
    first = await scan(door, event, "T-3", id=scan_id)
    again = await scan(door, event, "T-3", id=scan_id)
    assert said(first) == said(again) == ("admitted", "ok")
    assert again.item.stored is not None
    assert again.item.stored.decided_at == first.now.replace(
        microsecond=first.now.microsecond
    )


async def test_same_id_other_content_is_a_conflict(door, event):
    scan_id = uuid7()
    await scan(door, event, "T-3", id=scan_id)
    other = await scan(door, event, "T-4", id=scan_id)
    assert other.item.error == "conflict"


async def test_in_out_in(door, event, database):
    assert said(await scan(door, event, "T-5")) == ("admitted", "ok")
    assert said(await scan(door, event, "T-5", direction="out")) == ("exited", "ok")
    again = await scan(door, event, "T-5")
    assert said(again) == ("admitted", "ok")
    assert again.item.decision is not None
    assert again.item.decision.pass_no == 2
    assert said(await scan(door, event, "T-6", direction="out")) == (
        "exited",
        "not_inside",
    )
    assert (
        await database.pool.fetchval(
            "SELECT inside FROM ops.scopes WHERE id = $1", event.venue_scope
        )
        == 1
    )


async def test_the_lounge_takes_vips_and_enters_the_venue_too(door, event, database):
    refused = await scan(door, event, "T-7", event.lounge_device)
    assert said(refused) == ("refused", "wrong_area")
    admitted = await scan(door, event, "V-1", event.lounge_device)
    assert said(admitted) == ("admitted", "ok")
    scopes = await database.pool.fetch(
        "SELECT scope_id FROM check_ins WHERE ticket_id = $1", event.tickets["V-1"]
    )
    assert {row[0] for row in scopes} == {event.venue_scope, event.lounge_scope}
    out = await scan(door, event, "V-1", direction="out")
    assert said(out) == ("exited", "ok")
    assert not await database.pool.fetchval("SELECT sum(inside) FROM ops.scopes")


async def test_groups_say_how_many(door, event):
    asked = await scan(door, event, "G-1")
    assert said(asked) == ("hold", "needs_count")
    assert asked.item.decision is not None
    assert asked.item.decision.choices == (1, 2, 3, 4)
    assert said(await scan(door, event, "G-1", admit=3)) == ("admitted", "ok")
    last = await scan(door, event, "G-1")
    assert said(last) == ("admitted", "ok")
    assert last.item.decision is not None
    assert last.item.decision.people == 1


async def test_a_refund_made_behind_the_cache_is_seen(door, event, database):
    await database.pool.execute(
        "UPDATE tickets SET state = 'refunded' WHERE id = $1", event.tickets["T-8"]
    )
    assert said(await scan(door, event, "T-8")) == ("refused", "refunded")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("nobody knows this", "unknown_code"),
        ("BEGIN:VCARD\nFN:X\nEND:VCARD", "malformed_code"),
        ("https://example.org/", "unknown_code"),
        ("", "malformed_code"),
    ],
)
async def test_other_codes(door, event, code, reason):
    assert said(await scan(door, event, code)) == ("refused", reason)


async def test_exactly_the_limit_under_a_race(door, event, database):
    await database.pool.execute(
        "UPDATE ops.areas SET capacity = 5 WHERE id = $1", event.venue
    )
    answers = await asyncio.gather(*(scan(door, event, f"T-{n}") for n in range(1, 16)))
    reasons = Counter(said(answered) for answered in answers)
    assert reasons["admitted", "ok"] == 5
    assert reasons["hold", "area_full"] == 10


async def test_refusals_are_logged(door, event, database):
    answered = await scan(door, event, "nobody knows this")
    await door.desk.stop()
    row = await database.pool.fetchrow(
        "SELECT * FROM ops.scan_log WHERE scan_id = $1", answered.item.ask.scan.id
    )
    assert row["reason"] == "unknown_code"
    assert row["durable"] == "none"


async def test_a_door_that_disagrees_leaves_a_conflict(door, event, database):
    shown = {"offline": True, "door": DoorDecision("admitted", "ok")}
    refused = await scan(door, event, "nobody knows this", **shown)
    assert said(refused) == ("refused", "unknown_code")
    scan_id = uuid7()
    await scan(door, event, "T-1", id=scan_id)
    agreed = await scan(door, event, "T-1", id=scan_id, **shown)
    assert agreed.item.stored is not None
    await door.desk.stop()
    rows = await database.pool.fetch("SELECT * FROM ops.conflicts")
    assert [row["loser_scan_id"] for row in rows] == [refused.item.ask.scan.id]
    assert (
        await database.pool.fetchval(
            "SELECT door ->> 'verdict' FROM ops.scan_log WHERE scan_id = $1", scan_id
        )
        == "admitted"
    )


async def test_a_caller_that_went_away_and_came_back(door, event, database):
    """The same id is decided once, also when the first caller was cancelled."""
    scan_id = uuid7()
    first = asyncio.create_task(scan(door, event, "T-9", id=scan_id))
    again = asyncio.create_task(scan(door, event, "T-9", id=scan_id))
    await asyncio.sleep(0)
    first.cancel()
    answered = await again
    assert said(answered) == ("admitted", "ok")
    third = await scan(door, event, "T-9", id=scan_id)
    assert third.item.stored is not None
    assert await database.pool.fetchval("SELECT count(*) FROM check_ins") == 1
    await door.desk.stop()
    assert await database.pool.fetchval("SELECT confirmed_at FROM check_ins")


async def test_a_green_that_nobody_was_handed_is_not_confirmed(door, event, database):
    await (await door.desk.event(event.id)).know(event.device)
    gone = asyncio.create_task(scan(door, event, "T-10"))
    await asyncio.sleep(0)
    gone.cancel()
    await door.desk.stop()
    row = await database.pool.fetchrow("SELECT * FROM check_ins")
    assert row["ticket_id"] == event.tickets["T-10"]
    assert row["confirmed_at"] is None
