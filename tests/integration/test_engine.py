"""The connections: what each way in promises."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, InvalidRequestError

from ops.db.engine import Database
from ops.db.models import Contact, Event, Ticket, TicketType
from ops.db.session import Sessions
from ops.errors import StoreUnavailable

AWKWARD_NAME = "Maximiliana Wilhelmina Adelgunde von und zu Oberschwarzenstein"


async def test_a_session_commits_at_its_end_and_undoes_on_an_error(
    sessions: Sessions,
) -> None:
    async with sessions.begin() as session:
        session.add(Contact(first_name="李", last_name=AWKWARD_NAME, email="a@x.test"))
    with pytest.raises(IntegrityError):
        await _add_twice(sessions, "b@x.test")
    async with sessions.begin() as session:
        contacts = (await session.scalars(select(Contact))).all()
    assert [contact.last_name for contact in contacts] == [AWKWARD_NAME]
    assert contacts[0].id.version == 7
    assert contacts[0].country == "Canada"


async def _add_twice(sessions: Sessions, email: str) -> None:
    async with sessions.begin() as session:
        for name in ("O'Brien-Łukasz", "مريم"):
            session.add(Contact(first_name=name, last_name="", email=email))
            await session.flush()


async def test_relations_are_loaded_only_on_demand(
    sessions: Sessions, database: Database
) -> None:
    await database.pool.execute(
        "INSERT INTO events (title, slug, starts_at, ends_at)"
        " VALUES ('Day', 'day', now(), now() + interval '1 h')"
    )
    async with sessions.begin() as session:
        event = (await session.scalars(select(Event))).one()
        kind = TicketType(event_id=event.id, name="Day", price=0)
        session.add(kind)
        await session.flush()
        session.add(Ticket(event_id=event.id, ticket_type_id=kind.id))
    async with sessions.begin() as session:
        ticket = (await session.scalars(select(Ticket))).one()
        with pytest.raises(InvalidRequestError):
            _ = ticket.ticket_type


async def test_json_is_an_object_for_the_crm_and_text_for_the_door(
    database: Database,
) -> None:
    query = "SELECT $1::jsonb"
    assert await database.pool.fetchval(query, {"a": ["é"]}) == {"a": ["é"]}
    assert await database.door.fetchval(query, '{"a": ["é"]}') == '{"a": ["é"]}'


async def test_a_statement_of_the_crm_has_a_time_limit(
    database: Database, sessions: Sessions
) -> None:
    query = "SHOW statement_timeout"
    assert await database.pool.fetchval(query) == "30s"
    async with sessions.begin() as session:
        assert await session.scalar(text(query)) == "30s"
    # The desk counts for itself and terminates; this only ends what it left behind.
    assert await database.door.fetchval(query) == "10s"


async def test_the_door_sends_no_query_of_its_own(database: Database) -> None:
    sent: list[str] = []
    connection = await database.door.acquire()
    connection.add_query_logger(lambda record: sent.append(record.query))
    await database.door.release(connection)
    for _ in range(5):
        async with database.door.acquire() as taken:
            await taken.fetchval("SELECT 1")
    assert set(sent) == {"SELECT 1"}


async def test_the_door_gives_back_no_open_transaction(database: Database) -> None:
    connection = await database.door.acquire()
    await connection.execute("BEGIN")
    await connection.execute("CREATE TABLE left_behind ()")
    await database.door.release(connection)
    assert await database.pool.fetchval("SELECT to_regclass('left_behind')") is None
    async with database.door.acquire() as taken:
        assert not taken.is_in_transaction()


async def test_a_terminated_connection_is_replaced(database: Database) -> None:
    # What the desk does after a timeout: never wait for a server that is silent.
    pids = set()
    for _ in range(3):
        async with database.door.acquire() as connection:
            pids.add(connection.get_server_pid())
            connection.terminate()
    assert len(pids) == 3
    assert await database.door.fetchval("SELECT 1") == 1


async def test_the_door_has_its_connections_however_busy_the_crm_is(
    database: Database,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        taken = [await database.pool.acquire() for _ in range(5)]
        held = tasks.create_task(asyncio.wait_for(_three(database.door), 5))
    assert held.result() == [1, 1, 1]
    for connection in taken:
        await database.pool.release(connection)


async def _three(pool: asyncpg.Pool[asyncpg.Record]) -> list[int]:
    taken = [await pool.acquire() for _ in range(3)]
    answers = [await connection.fetchval("SELECT 1") for connection in taken]
    for connection in taken:
        await pool.release(connection)
    return answers


async def test_start_and_stop_may_come_twice(database_url: str) -> None:
    for each in (Database(database_url), Sessions(database_url)):
        await each.stop()
        await each.start()
        await each.start()
        await each.stop()
        await each.stop()


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    url = f"postgresql://ops@/ops?host={tmp_path}"
    for each in (Database(url), Sessions(url)):
        with pytest.raises(StoreUnavailable):
            await each.start()
        await each.stop()


async def test_the_first_host_that_answers_is_used(
    database_url: str, tmp_path: Path
) -> None:
    # A standby's address beside the primary's: the dead one is passed over.
    path, _, folder = database_url.partition("?host=")
    database = Database(f"{path}?host={tmp_path},{folder}")
    await database.start()
    assert await database.pool.fetchval("SELECT 1") == 1
    await database.stop()
