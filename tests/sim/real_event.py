"""The event of the simulation as rows of a real PostgreSQL."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import msgspec

from ops.cache.entry import TicketEntry
from tests.sim import evening
from tests.sim.evening import EVENT, uid

_CLEAR = """
SET session_replication_role = replica;
DELETE FROM check_ins; DELETE FROM ops.scan_log; DELETE FROM ops.conflicts;
DELETE FROM ops.facts; DELETE FROM ops.outbox;
UPDATE ops.scopes SET inside = 0; UPDATE ops.areas SET inside = 0, disputed = 0;
UPDATE tickets SET state = 'valid', version = 1;
SET session_replication_role = origin;
"""
"""Not TRUNCATE: it costs twenty times as much for a few rows."""


async def make(connection: asyncpg.Connection) -> None:
    """Write the event with its places, doors and tickets."""
    plan = evening.rows()
    event = plan.event
    await connection.execute(
        "INSERT INTO events (id, no, title, slug, event_type, status, starts_at,"
        " ends_at, timezone, languages, day_starts_at) VALUES ($1, $2, $3, 'simulated',"
        " 'conference', 'live', $4, $5, $6, $7, $8)",
        event.id,
        event.no,
        event.title,
        event.starts_at,
        event.ends_at,
        event.timezone,
        list(event.languages),
        event.day_starts_at,
    )
    for table, found in (
        ("ops.areas", plan.areas),
        ("ops.scopes", plan.scopes),
        ("ops.gates", plan.gates),
    ):
        for row in found:
            await _insert(connection, table, {"event_id": EVENT, **_plain(row)})
    for kind in plan.types:
        await connection.execute(
            "INSERT INTO ticket_types (id, event_id, no, name, price)"
            " VALUES ($1, $2, $3, $4, 0)",
            kind.id,
            EVENT,
            kind.no,
            kind.name,
        )
    await connection.execute(
        "INSERT INTO ops.operators (id, event_id, no, name, role)"
        " VALUES ($1, $2, 1, 'Dana', 'steward')",
        evening.OPERATOR,
        EVENT,
    )
    for number, (gate, device) in enumerate(evening.DEVICES.items(), 1):
        await connection.execute(
            "INSERT INTO ops.devices (id, no, name, state, token_hash, gate_id,"
            " operator_id) VALUES ($1, $2, $3, 'active', $4, $5, $6)",
            device,
            number,
            f"Phone {number}",
            device.bytes,
            gate,
            evening.OPERATOR,
        )
        await connection.execute(
            "INSERT INTO ops.device_events (device_id, event_id) VALUES ($1, $2)",
            device,
            EVENT,
        )
    await _tickets(connection)


async def _tickets(connection: asyncpg.Connection) -> None:
    for ticket_id, admits in evening.TICKETS.items():
        number = ticket_id.int & 0xFF
        await connection.execute(
            "INSERT INTO attendees (id, event_id, first_name) VALUES ($1, $2, 'Ng')",
            uid(10, number),
            EVENT,
        )
        await connection.execute(
            "INSERT INTO tickets (id, event_id, attendee_id, ticket_type_id, state,"
            " admits) VALUES ($1, $2, $3, $4, 'valid', $5)",
            ticket_id,
            EVENT,
            uid(10, number),
            evening.REGULAR,
            admits,
        )
        await connection.execute(
            "INSERT INTO ops.ticket_codes (id, event_id, code_hash, ticket_id, kind)"
            " VALUES ($1, $2, $3, $4, 'imported')",
            uid(11, number),
            EVENT,
            evening.code(ticket_id),
            ticket_id,
        )


def _plain(row: msgspec.Struct) -> dict[str, Any]:
    """What differs from the defaults of a plan's row, by column."""
    names = row.__struct_fields__
    defaults = row.__struct_defaults__
    kept = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    return {
        name: getattr(row, name)
        for name in names
        if name not in kept or getattr(row, name) != kept[name]
    }


async def _insert(
    connection: asyncpg.Connection, table: str, row: dict[str, Any]
) -> None:
    columns = ", ".join(row)
    await connection.execute(
        f"INSERT INTO {table} ({columns}) SELECT {columns}"
        f" FROM json_populate_record(null::{table}, ($1::text)::json)",
        json.dumps(row, default=str),
    )


async def clear(connection: asyncpg.Connection) -> dict[Any, TicketEntry]:
    """Nobody has come yet; the tickets as they stand now."""
    await connection.execute(_CLEAR)
    found = await connection.fetch("SELECT id, version FROM tickets ORDER BY id")
    tickets = evening.tickets()
    return {
        row["id"]: msgspec.structs.replace(tickets[row["id"]], version=row["version"])
        for row in found
    }
