"""The sample fits the real schema, constraints and triggers included."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from ops.checkin import codes
from ops.dev import people, sample
from ops.dev.programme import Timetable
from ops.dev.tables import Table, write

AT = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def sign(ticket_id: UUID, issue_no: int) -> str:
    return codes.sign(b"k" * 32, 1, ticket_id, issue_no)


async def test_two_evenings_of_the_same_people_fit(database_url: str) -> None:
    persons = people.build(1, AT)
    connection = await asyncpg.connect(database_url)
    try:
        await write(connection, persons.tables)
        for number in (1, 2):
            evening = sample.build(1, number, Timetable(AT), persons, sign, "s" * 32)
            tables = evening.tables if number == 1 else evening.tables[1:]
            await write(connection, tables)
        counted = dict(
            await connection.fetch(
                "SELECT event_id, count(*) FROM tickets GROUP BY event_id"
            )
        )
        assert list(counted.values()) == [5_000, 5_000]
        assert await connection.fetchval("SELECT count(*) FROM events") == 2
        # The triggers told the relay about both plans.
        versions = await connection.fetchval("SELECT count(*) FROM ops.plan_versions")
        assert versions == 2
    finally:
        await connection.close()


async def test_a_broken_row_leaves_nothing_behind(database_url: str) -> None:
    persons = people.build(1, AT)
    companies, contacts = persons.tables
    twice = Table("contacts", [*contacts.rows, contacts.rows[0]])
    connection = await asyncpg.connect(database_url)
    try:
        with pytest.raises(asyncpg.UniqueViolationError):
            await write(connection, [companies, twice])
        assert await connection.fetchval("SELECT count(*) FROM companies") == 0
    finally:
        await connection.close()
