"""What triggers refuse: vouchers for types that are not there, altered history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from ops.ids import uuid7

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def ticket_type(db: asyncpg.Connection[asyncpg.Record]) -> UUID:
    return await db.fetchval(
        "WITH e AS (INSERT INTO events (title, slug, starts_at, ends_at)"
        " VALUES ('Day', 'day', now(), now() + interval '1 h') RETURNING id)"
        " INSERT INTO ticket_types (event_id, name, price)"
        " SELECT id, 'Day', 10 FROM e RETURNING id"
    )


async def add_voucher(
    db: asyncpg.Connection[asyncpg.Record], types: list[UUID] | None
) -> None:
    await db.execute(
        "INSERT INTO vouchers (code, applicable_ticket_types) VALUES ($1, $2)",
        str(uuid7()),
        types,
    )


async def test_a_voucher_names_types_that_exist(
    db: asyncpg.Connection[asyncpg.Record], ticket_type: UUID
) -> None:
    for types in ([ticket_type], [ticket_type, ticket_type], [], None):
        await add_voucher(db, types)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await add_voucher(db, [ticket_type, uuid7()])
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await db.execute("UPDATE vouchers SET applicable_ticket_types = $1", [uuid7()])


async def test_a_type_that_a_voucher_names_stays(
    db: asyncpg.Connection[asyncpg.Record], ticket_type: UUID
) -> None:
    await add_voucher(db, [ticket_type])
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await db.execute("DELETE FROM ticket_types")
    await db.execute("DELETE FROM vouchers")
    await db.execute("DELETE FROM ticket_types")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ops.audit_log SET action = 'nothing'",
        "DELETE FROM ops.audit_log",
        "TRUNCATE ops.audit_log",
        "UPDATE ops.facts SET kind = 'nothing'",
    ],
)
async def test_history_is_not_altered(
    db: asyncpg.Connection[asyncpg.Record], change: str
) -> None:
    await db.execute(
        "INSERT INTO ops.audit_log (subject_kind, action) VALUES ('user', 'login')"
    )
    await db.execute(
        "INSERT INTO ops.facts (event_id, kind, payload)"
        " VALUES (gen_random_uuid(), 'admitted', '{}')"
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute(change)


async def test_old_facts_may_be_deleted(
    db: asyncpg.Connection[asyncpg.Record],
) -> None:
    assert await db.execute("DELETE FROM ops.facts") == "DELETE 0"


async def test_updated_at_follows_each_update(
    db: asyncpg.Connection[asyncpg.Record],
) -> None:
    await db.execute(
        "INSERT INTO companies (name, updated_at) VALUES ('Łódź & Fils', $1)", LONG_AGO
    )
    await db.execute("UPDATE companies SET priority = 'high'")
    assert await db.fetchval("SELECT updated_at FROM companies") > LONG_AGO


async def test_every_table_with_updated_at_has_the_trigger(
    db: asyncpg.Connection[asyncpg.Record],
) -> None:
    without = await db.fetch(
        "SELECT table_name FROM information_schema.columns c"
        " WHERE table_schema = 'public' AND column_name = 'updated_at'"
        " AND NOT EXISTS (SELECT FROM pg_trigger t"
        "   WHERE t.tgrelid = format('public.%I', c.table_name)::regclass"
        "   AND t.tgname = 'touch')"
    )
    assert without == []


async def test_admission_keys(
    db: asyncpg.Connection[asyncpg.Record], ticket_type: UUID
) -> None:
    """The four arbiters, each alone against a row that differs in all else."""
    event = await db.fetchval("SELECT id FROM events")
    ticket = await db.fetchval(
        "INSERT INTO tickets (event_id, ticket_type_id) VALUES ($1, $2) RETURNING id",
        event,
        ticket_type,
    )
    scope = await db.fetchval(
        "INSERT INTO ops.scopes (event_id, kind, name) VALUES ($1, 'venue', 'Hall')"
        " RETURNING id",
        event,
    )

    async def admit(pass_no: int, scan: UUID, *, out: UUID | None = None) -> str:
        return await db.execute(
            "INSERT INTO check_ins (event_id, ticket_id, scope_id, pass_no, scan_id,"
            " checked_out_at, exit_scan_id)"
            " VALUES ($1, $2, $3, $4, $5, CASE WHEN $6::uuid IS NOT NULL THEN now()"
            " END, $6) ON CONFLICT DO NOTHING",
            event,
            ticket,
            scope,
            pass_no,
            scan,
            out,
        )

    scan, leave = uuid7(), uuid7()
    assert await admit(1, scan, out=leave) == "INSERT 0 1"
    assert await admit(1, uuid7(), out=uuid7()) == "INSERT 0 0"  # a pass once
    assert await admit(2, scan, out=uuid7()) == "INSERT 0 0"  # a scan once
    assert await admit(2, uuid7(), out=leave) == "INSERT 0 0"  # an exit once
    assert await admit(2, uuid7()) == "INSERT 0 1"
    assert await admit(3, uuid7()) == "INSERT 0 0"  # nobody inside twice
    await db.execute("UPDATE check_ins SET undone_at = now() WHERE pass_no = 2")
    assert await admit(3, uuid7()) == "INSERT 0 1"
