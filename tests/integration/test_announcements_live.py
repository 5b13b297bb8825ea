"""Announcements on the socket: to whom it concerns, in order, once, after a cut too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from ops.announcements import sending
from ops.auth.tokens import token_hash
from ops.db.engine import Database
from ops.ids import uuid7
from ops.live.auth import Authenticator
from ops.live.reach import read_reach
from ops.live.server import LiveServer, Options
from ops.live.topics import Kind
from tests.integration.people.crowd import Crowd, make_crowd
from tests.integration.people.people_kit import Place, make_place
from tests.integration.test_live_figures import sign_in
from tests.live_world import Client, client


@pytest.fixture
async def place(database: Database) -> Place:
    return await make_place(database)


@pytest.fixture
async def crowd(database: Database, place: Place) -> Crowd:
    return await make_crowd(database, place)


@asynccontextmanager
async def live(database: Database, url: str, redis_url: str) -> Any:
    async def nothing(_: UUID) -> None:
        return None

    server = LiveServer(
        Options(redis_url=redis_url),
        Authenticator(database.pool),
        nothing,
        {Kind.REACH: partial(read_reach, database.pool)},
        pool=database.pool,
        url=url,
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def server(
    database: Database, database_url: str, redis_url: str
) -> AsyncIterator[LiveServer]:
    async with live(database, database_url, redis_url) as server:
        yield server


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def link(database: Database, place: Place, attendee: UUID) -> str:
    """A private link's token."""
    token = f"att_{uuid7().hex}"
    await database.pool.execute(
        """INSERT INTO ops.attendee_tokens (event_id, attendee_id, token_hash)
           VALUES ($1, $2, $3)""",
        *(place.event, attendee, token_hash(token)),
    )
    return token


async def announce(database: Database, place: Place, title: str, **fields: Any) -> UUID:
    """Insert a scheduled announcement and send it, as the sync role does."""
    made = uuid7()
    values = {
        "target_audience": "all",
        "target_segments": {},
        "delivery_method": ["in_app", "website"],
        "translations": {"fr": {"title": f"{title} (fr)", "content": "Entrez."}},
        **fields,
    }
    columns = ", ".join(values)
    places = ", ".join(f"${n}" for n in range(5, 5 + len(values)))
    async with database.pool.acquire() as db:
        now = datetime.now(UTC)
        await db.execute(
            f"""INSERT INTO event_announcements
                  (id, event_id, title, content, status, scheduled_for, {columns})
                VALUES ($1, $2, $3, 'Come in.', 'scheduled', $4, {places})""",
            *(made, place.event, title, now, *values.values()),
        )
        await sending.send_due(db, now)
    return made


async def open_board(
    server: LiveServer, place: Place, token: str, stack: Any, **resume: Any
) -> tuple[Client, dict[str, Any]]:
    topic = f"event:{place.event}:announcements"
    one: Client = await stack.enter_async_context(client(server))
    await one.hello(token, **({topic: resume} if resume else {}))
    return one, await one.watch(topic)


def shown(frame: dict[str, Any]) -> list[str]:
    return [item["title"] for item in frame["data"]["items"]]


async def test_all_in_order_and_a_restricted_one_to_its_audience_alone(
    server: LiveServer, database: Database, place: Place, crowd: Crowd, stack: Any
) -> None:
    guest, snapshot = await open_board(
        server, place, await link(database, place, crowd.guests[0]), stack
    )
    vip, _ = await open_board(
        server, place, await link(database, place, crowd.vip), stack
    )
    staff_token = await sign_in(database, '{"announcements": {"read": true}}', None)
    staff, _ = await open_board(server, place, staff_token, stack)
    assert (snapshot["op"], shown(snapshot)) == ("snapshot", [])
    await announce(database, place, "Doors open")
    first = [await one.hear_op("snapshot") for one in (guest, vip, staff)]
    assert [shown(frame) for frame in first] == [["Doors open"]] * 3
    await announce(database, place, "Champagne", target_audience="vip")
    await announce(database, place, "Encore")
    heard = [
        [shown(await one.hear_op("update")) for _ in range(2)]
        for one in (guest, vip, staff)
    ]
    assert heard == [
        [[], ["Encore"]],
        [["Champagne"], ["Encore"]],
        [["Champagne"], ["Encore"]],
    ]


async def test_what_was_missed_comes_on_reconnect_once_and_in_order(
    database: Database,
    database_url: str,
    redis_url: str,
    place: Place,
    crowd: Crowd,
    stack: Any,
) -> None:
    token = await link(database, place, crowd.guests[1])
    await announce(database, place, "One")
    async with live(database, database_url, redis_url) as first:
        _, seen = await open_board(first, place, token, stack)
        assert shown(seen) == ["One"]
    await announce(database, place, "Two")
    await announce(database, place, "Three", target_audience="vip")
    await announce(database, place, "Four")
    position = {"epoch": seen["epoch"], "offset": seen["offset"]}
    async with live(database, database_url, redis_url) as second:
        # The process knows nothing yet: a snapshot, whole.
        _, whole = await open_board(second, place, token, stack, **position)
        assert (whole["op"], shown(whole)) == ("snapshot", ["One", "Two", "Four"])
        # Now it does: exactly what was missed.
        again, resumed = await open_board(second, place, token, stack, **position)
        assert (resumed["op"], resumed["count"]) == ("resumed", 3)
        updates = [await again.hear_op("update") for _ in range(3)]
        assert [shown(frame) for frame in updates] == [["Two"], [], ["Four"]]
        assert [frame["prev"] for frame in updates] == [1, 2, 3]


async def test_acknowledgements_are_counted_for_organisers(
    server: LiveServer, database: Database, place: Place, crowd: Crowd, stack: Any
) -> None:
    made = await announce(database, place, "Doors open")
    token = await sign_in(database, '{"announcements": {"read": true}}', None)
    organiser: Client = await stack.enter_async_context(client(server))
    await organiser.hello(token)
    first = await organiser.watch(f"event:{place.event}:reach")
    assert first["data"]["announcements"][0]["delivered"] == 0
    for attendee, what in zip(crowd.guests[:2], ("delivered", "clicked"), strict=True):
        one, _ = await open_board(
            server, place, await link(database, place, attendee), stack
        )
        for _ in range(3):
            await one.say(op="ack", announcement_id=str(made), what=what)
    while True:
        (line,) = (await organiser.hear_op("update"))["data"]["announcements"]
        if line["delivered"] == 2:
            break
    assert (line["counted"], line["opened"], line["clicked"]) == (7, 1, 1)


async def test_a_photographed_ticket_opens_what_is_public_and_no_more(
    server: LiveServer, database: Database, place: Place, crowd: Crowd, stack: Any
) -> None:
    code = "IABCDEF" + "A" * 125
    await database.pool.execute(
        """INSERT INTO ops.ticket_codes (id, event_id, code_hash, ticket_id, kind)
           SELECT $1, $2, $3, t.id, 'own' FROM tickets t WHERE t.attendee_id = $4""",
        *(uuid7(), place.event, token_hash(code)[:16], crowd.vip),
    )
    await announce(database, place, "Doors open")
    await announce(database, place, "Champagne", target_audience="vip")
    await announce(database, place, "For the app", delivery_method=["in_app"])
    one, snapshot = await open_board(server, place, code, stack)
    assert shown(snapshot) == ["Doors open"]
    refused = await one.watch(f"event:{place.event}:attendance")
    assert refused["code"] == "forbidden"
    await database.pool.execute("UPDATE ops.ticket_codes SET revoked_at = now()")
    assert await one.code() == 4100


async def test_a_lost_note_costs_a_second_and_no_announcement(
    server: LiveServer, database: Database, place: Place, crowd: Crowd, stack: Any
) -> None:
    token = await link(database, place, crowd.guests[0])
    one, _ = await open_board(server, place, token, stack)
    await database.pool.execute(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'ops-live-listen'
              AND datname = current_database()"""
    )
    await announce(database, place, "Nobody told the server")
    assert shown(await one.hear_op("snapshot")) == ["Nobody told the server"]
