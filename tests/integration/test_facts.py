"""The facts that PostgreSQL writes are those that `ops.facts` reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from ops import facts
from ops.db.engine import Database
from ops.ids import uuid7

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


async def test_entry_exit_and_undo_become_facts(database: Database) -> None:
    async with database.door.acquire() as db:
        ids = await _a_door(db)
        first, leave, second, undo = uuid7(), uuid7(), uuid7(), uuid7()
        visits = [
            await _commit(db, ids, first, opens=1),
            await _commit(db, ids, leave, closes=1),
            await _commit(db, ids, second, opens=2),
        ]
        assert [visit["lost"] for visit in visits] == [[], [], []]
        await db.fetchval(
            "SELECT ops.undo_scan_v1($1, $2, $3, $4, $5, $6, $7)",
            ids["event"],
            1,
            second,
            undo,
            "wrong guest",
            None,
            NOW,
        )
        rows = await db.fetch("SELECT kind, payload FROM ops.facts ORDER BY id")

    told = [facts.decode(row["payload"]) for row in rows]
    assert [facts.kind(fact) for fact in told] == [row["kind"] for row in rows]
    assert [type(fact) for fact in told] == [
        facts.Admitted,
        facts.Exited,
        facts.Admitted,
        facts.Undone,
    ]
    assert [fact.scan_id for fact in told] == [first, leave, second, undo]
    assert [fact.pass_no for fact in told] == [1, 1, 2, 2]
    assert {fact.ticket_id for fact in told} == {ids["ticket"]}
    assert {fact.event_id for fact in told} == {ids["event"]}
    assert {fact.at for fact in told} == {NOW}
    assert isinstance(told[3], facts.Undone)
    assert told[3].undone_scan_id == second


async def _a_door(db: asyncpg.Connection[asyncpg.Record]) -> dict[str, UUID]:
    ids = {
        name: uuid7()
        for name in ("event", "type", "ticket", "area", "scope", "gate", "device")
    }
    for statement, *arguments in (
        (
            "INSERT INTO events (id, title, slug, starts_at, ends_at)"
            " VALUES ($1, 'Day', 'day', $2, $2::timestamptz + interval '1 day')",
            ids["event"],
            NOW,
        ),
        (
            "INSERT INTO ticket_types (id, event_id, name, price)"
            " VALUES ($1, $2, 'Day', 0)",
            ids["type"],
            ids["event"],
        ),
        (
            "INSERT INTO tickets (id, event_id, ticket_type_id) VALUES ($1, $2, $3)",
            ids["ticket"],
            ids["event"],
            ids["type"],
        ),
        (
            "INSERT INTO ops.areas (id, event_id, name) VALUES ($1, $2, 'Hall')",
            ids["area"],
            ids["event"],
        ),
        (
            "INSERT INTO ops.scopes (id, event_id, kind, name, area_id)"
            " VALUES ($1, $2, 'venue', 'Hall', $3)",
            ids["scope"],
            ids["event"],
            ids["area"],
        ),
        (
            "INSERT INTO ops.gates (id, event_id, name) VALUES ($1, $2, 'North')",
            ids["gate"],
            ids["event"],
        ),
        (
            "INSERT INTO ops.devices (id, name, state) VALUES ($1, 'Phone', 'active')",
            ids["device"],
        ),
    ):
        await db.execute(statement, *arguments)
    return ids


async def _commit(
    db: asyncpg.Connection[asyncpg.Record],
    ids: dict[str, UUID],
    scan: UUID,
    *,
    opens: int = 0,
    closes: int = 0,
) -> dict[str, object]:
    """Write one scan: an entry on pass `opens`, or an exit if `closes`."""
    item = {
        "i": 0,
        "s": str(scan),
        "k": str(ids["ticket"]),
        "v": 1,
        "d": str(ids["device"]),
        "g": str(ids["gate"]),
        "gn": "North",
        "me": "qr_code",
        "no": 1 if opens else 0,
        "mu": closes,
    }
    visit = {"i": 0, "id": str(uuid7()), "sc": str(ids["scope"]), "n": 1, "p": opens}
    end = {"i": 0, "sc": str(ids["scope"]), "n": 1, "must": True, "as": False}
    answer = await db.fetchval(
        "SELECT ops.commit_scans_v1($1, 1, 'N', $2, $3, '[]', $4, $5, '[]', '{}')",
        ids["event"],
        NOW,
        json.dumps([item]),
        json.dumps([visit] if opens else []),
        json.dumps([end] if closes else []),
    )
    return dict(json.loads(answer))
