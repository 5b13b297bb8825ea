"""Text messages and pushes behind the one interface: each handed over once, in the
reader's language, and what a carrier does not answer is unknown and not sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ops.announcements.providers import PROVIDERS, Outgoing
from ops.crm_sync.carrier import Carrier
from ops.crm_sync.worker import Worker
from ops.db.engine import Database
from ops.settings import Settings
from tests.integration.people.crowd import Crowd, make_crowd
from tests.integration.people.people_kit import MovedClock, Place, make_place
from tests.integration.test_announcements_live import announce


class Written:
    """A provider that writes down what it is given, and answers as it is told."""

    def __init__(self) -> None:
        self.taken: list[Outgoing] = []
        self.broken = self.silent = False

    async def deliver(self, messages: Sequence[Outgoing]) -> list[str | None]:
        await asyncio.sleep(0)
        self.taken += messages
        if self.broken:
            raise ConnectionResetError
        if self.silent:
            return []
        return ["bad_number" if one.to.endswith("00") else None for one in messages]


@pytest.fixture
def carried() -> Iterator[Written]:
    """A carrier of text messages, set up for one test."""
    PROVIDERS["sms"] = Written()
    yield PROVIDERS["sms"]  # type: ignore[misc]  # the one that was put there
    del PROVIDERS["sms"]


@pytest.fixture
async def place(database: Database) -> Place:
    return await make_place(database)


@pytest.fixture
async def crowd(database: Database, place: Place) -> Crowd:
    crowd = await make_crowd(database, place)
    await database.pool.execute(
        """UPDATE attendees a SET phone = '+1514555' || to_char(n.at - 1, 'FM0000'),
                  language = CASE WHEN n.at = 2 THEN 'fr' ELSE 'en' END
             FROM unnest($1::uuid[]) WITH ORDINALITY AS n(id, at) WHERE a.id = n.id""",
        crowd.guests,
    )
    return crowd


async def by_failure(database: Database, made: UUID) -> dict[Any, int]:
    rows = await database.pool.fetch(
        """SELECT coalesce(failure, 'delivered') AS what, count(*) AS n
             FROM ops.announcement_receipts
            WHERE announcement_id = $1 AND channel = 'sms'
              AND (delivered_at IS NOT NULL OR failure IS NOT NULL) GROUP BY 1""",
        made,
    )
    return {row["what"]: row["n"] for row in rows}


async def test_each_message_goes_once_whoever_asks(
    database: Database, place: Place, crowd: Crowd, carried: Written
) -> None:
    made = await announce(
        database,
        place,
        "Doors open",
        delivery_method=["sms"],
        translations={"fr": {"title": "Ouvert", "content": "Entrez"}},
    )
    clock = MovedClock()
    first, second = Carrier(database, clock), Carrier(database, clock)
    for _ in range(3):
        await asyncio.gather(first.turn(), second.turn())
    assert sorted(one.to for one in carried.taken) == [
        f"+1514555{n:04}" for n in range(5)
    ]
    assert [one.title for one in carried.taken].count("Ouvert") == 1
    # Two have no number, one number is wrong.
    assert await by_failure(database, made) == {
        "delivered": 4,
        "bad_number": 1,
        "no_address": 2,
    }
    told = await database.pool.fetchval(
        "SELECT delivery_count FROM event_announcements WHERE id = $1", made
    )
    assert told == 4


@pytest.mark.parametrize("how", ["broken", "silent"])
async def test_what_is_not_answered_is_unknown_and_not_sent_again(
    database: Database, place: Place, crowd: Crowd, carried: Written, how: str
) -> None:
    made = await announce(database, place, "Doors open", delivery_method=["sms"])
    setattr(carried, how, True)
    carrier = Carrier(database, MovedClock())
    await carrier.turn()
    setattr(carried, how, False)
    assert await carrier.turn() == 0
    assert await by_failure(database, made) == {"unknown": 5, "no_address": 2}
    assert len(carried.taken) == 5


async def test_a_chain_asks_the_carrier_only_for_the_missed(
    database: Database, place: Place, crowd: Crowd, carried: Written
) -> None:
    made = await announce(
        database,
        place,
        "Doors open",
        delivery_method=["in_app", "sms"],
        chain=True,
        chain_after_s=30,
    )
    clock = MovedClock()
    carrier = Carrier(database, clock)
    assert await carrier.turn() == 0  # the first step still has its time
    await database.pool.execute(
        "UPDATE ops.announcement_receipts SET delivered_at = now()"
        " WHERE announcement_id = $1 AND recipient_id = $2 AND channel = 'in_app'",
        *(made, crowd.guests[1]),
    )
    clock.shift = timedelta(seconds=31)
    await carrier.turn()
    assert len(carried.taken) == 4
    assert crowd.guests[1] not in {one.recipient_id for one in carried.taken}


async def test_a_message_waits_for_no_mail(
    database: Database,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    crowd: Crowd,
    place: Place,
    carried: Written,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An outbox of many thousand mails, and a push that must be there now."""

    async def there_is_more() -> int:
        await asyncio.sleep(0.01)
        return 1

    worker = Worker(
        Settings(database_url=database_url, redis_url=redis_url, data_dir=tmp_path)
    )
    monkeypatch.setattr(worker.mailer, "turn", there_is_more)
    await worker.start()
    try:
        await announce(database, place, "Doors open", delivery_method=["sms"])
        async with asyncio.timeout(10):
            while len(carried.taken) < 5:  # noqa: ASYNC110 - another task's state
                await asyncio.sleep(0.02)
    finally:
        await worker.stop()
