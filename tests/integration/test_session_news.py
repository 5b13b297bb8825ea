"""Who holds a seat hears that the session moved: once, in both languages, and who does
not hold one hears nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ops.crm_sync.session_news import SessionNews
from ops.db.engine import Database
from ops.ids import uuid7
from ops.pages_dir import find
from ops.texts import Texts
from tests.integration.people.crowd import Crowd, make_crowd
from tests.integration.people.people_kit import MovedClock, Place, make_place

TITLE = "L’art de la file 李 🎪"


@pytest.fixture
async def place(database: Database) -> Place:
    return await make_place(database)


@pytest.fixture
async def crowd(database: Database, place: Place) -> Crowd:
    return await make_crowd(database, place)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def news(database: Database, clock: MovedClock) -> SessionNews:
    return SessionNews(database, clock, Texts(find().web / "i18n"))


@pytest.fixture
async def session(database: Database, place: Place, crowd: Crowd) -> UUID:
    """A session in two hours with two registered and one who waits."""
    made, start = uuid7(), datetime.now(UTC) + timedelta(hours=2)
    await database.pool.execute(
        """INSERT INTO sessions (id, event_id, title, start_time, end_time, area_id,
             status) VALUES ($1, $2, $3, $4, $5, $6, 'scheduled')""",
        *(made, place.event, TITLE, start, start + timedelta(hours=1), place.area),
    )
    for attendee, status in zip(
        crowd.guests[:3], ("registered", "registered", "waitlist"), strict=True
    ):
        await database.pool.execute(
            """INSERT INTO ops.session_registrations
                 (session_id, event_id, ticket_id, status)
               SELECT $1, $2, t.id, $4 FROM tickets t WHERE t.attendee_id = $3""",
            *(made, place.event, attendee, status),
        )
    return made


async def said(database: Database) -> list[Any]:
    rows: list[Any] = await database.pool.fetch(
        "SELECT * FROM event_announcements ORDER BY created_at, id"
    )
    return rows


async def test_a_move_is_told_once_after_it_has_stood(
    database: Database, news: SessionNews, clock: MovedClock, session: UUID
) -> None:
    assert await news.turn() == 0  # what holds when it is first seen, they know
    await database.pool.execute(
        "UPDATE sessions SET start_time = start_time + interval '20 minutes'"
        " WHERE id = $1",
        session,
    )
    assert await news.turn() == 0  # whoever edits may not be done
    clock.shift = timedelta(seconds=11)
    done = await asyncio.gather(*(news.turn() for _ in range(4)))
    assert sum(done) == 1
    assert await news.turn() == 0
    rows = await said(database)
    assert [row["target_segments"]["session_state"] for row in rows] == [
        "registered",
        "waitlist",
    ]
    for row in rows:
        assert row["target_segments"]["session_ids"] == [str(session)]
        assert (row["status"], row["session_id"]) == ("scheduled", session)
        assert TITLE in row["title"]
        assert row["translations"]["fr"]["title"].startswith("Changé")


@pytest.mark.parametrize("word", ["cancelled", "postponed"])
async def test_off_and_on_again(
    database: Database,
    news: SessionNews,
    clock: MovedClock,
    session: UUID,
    word: str,
) -> None:
    await news.turn()
    for status in (word, "scheduled", "live"):
        await database.pool.execute(
            "UPDATE sessions SET status = $2 WHERE id = $1", session, status
        )
        clock.shift += timedelta(seconds=11)
        await news.turn()
    titles = [row["title"].partition(":")[0] for row in await said(database)]
    first = word.capitalize()
    # That it began is no news.
    assert titles == [first, first, "It takes place", "It takes place"]


async def test_what_is_off_does_not_move(
    database: Database, news: SessionNews, clock: MovedClock, session: UUID
) -> None:
    """Clearing the times of a cancelled session is no news; that it is on again is."""
    await news.turn()
    for change in (
        "status = 'cancelled'",
        "start_time = start_time + interval '20 minutes'",
        "status = 'scheduled'",
    ):
        await database.pool.execute(
            f"UPDATE sessions SET {change} WHERE id = $1", session
        )
        clock.shift += timedelta(seconds=11)
        assert await news.turn() == 1
        assert await news.turn() == 0
    titles = [row["title"].partition(":")[0] for row in await said(database)]
    assert titles == ["Cancelled"] * 2 + ["It takes place"] * 2


async def test_a_session_without_people_says_nothing(
    database: Database, news: SessionNews, clock: MovedClock, session: UUID
) -> None:
    await news.turn()
    await database.pool.execute(
        "UPDATE ops.session_registrations SET status = 'cancelled'"
    )
    await database.pool.execute(
        "UPDATE sessions SET end_time = end_time + interval '1 hour'"
    )
    clock.shift = timedelta(seconds=11)
    await news.turn()
    assert await said(database) == []
