"""The tally finds what went wrong: the negative control of the demo's promise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from ops.dev import tally
from ops.dev.crowd import folder
from ops.dev.handheld import Journal, Note
from tests.small_event import SmallEvent

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
SCAN, OTHER = UUID(int=1), UUID(int=2)

ADMIT = """
INSERT INTO check_ins (id, event_id, attendee_id, ticket_id, scope_id, scan_id,
                       person_no, pass_no, checked_in_at, mode)
SELECT gen_random_uuid(), t.event_id, t.attendee_id, t.id, s.id, $2, $3, 1, now(), 'N'
FROM tickets t JOIN ops.scopes s ON s.event_id = t.event_id AND s.kind = 'venue'
WHERE t.id = $1
"""
LOG = """
INSERT INTO ops.scan_log (scan_id, event_id, content_hash, verdict, reason, direction,
                          method, decided_at, mode)
VALUES ($1, $2, '\\x00', $3, $4, 'in', 'qr_code', now(), 'N')
"""


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def event(connection: asyncpg.Connection) -> SmallEvent:
    return await SmallEvent.make(connection)


def ticket(event: SmallEvent) -> UUID:
    return event.tickets["T-1"]


def told(data_dir: Path, event: SmallEvent, *answers: tuple[UUID, str, str]) -> None:
    """Write a handheld's log: each scan was sent and answered."""
    journal = Journal(folder(data_dir, event.id) / "n1.jsonl")
    for scan_id, verdict, reason in answers:
        journal.write(Note("invoke", scan_id, NOW))
        journal.write(
            Note("answer", scan_id, NOW, status=200, verdict=verdict, reason=reason)
        )
    journal.close()


async def test_a_kept_promise_counts_nothing(
    connection: asyncpg.Connection, event: SmallEvent, tmp_path: Path
) -> None:
    await connection.execute(ADMIT, ticket(event), SCAN, 1)
    await connection.execute(LOG, SCAN, event.id, "admitted", "ok")
    told(tmp_path, event, (SCAN, "admitted", "ok"), (OTHER, "refused", "too_early"))
    found = await tally.count(connection, tmp_path, event.id)
    assert found.kept
    assert (found.sent, found.admitted, found.refused) == (2, 1, 1)


async def test_a_green_without_a_row_is_lost(
    connection: asyncpg.Connection, event: SmallEvent, tmp_path: Path
) -> None:
    told(tmp_path, event, (SCAN, "admitted", "ok"))
    found = await tally.count(connection, tmp_path, event.id)
    assert not found.kept
    assert (found.lost, found.contradicted) == (1, 1)


async def test_a_row_that_nobody_sent_is_a_phantom(
    connection: asyncpg.Connection, event: SmallEvent, tmp_path: Path
) -> None:
    await connection.execute(ADMIT, ticket(event), SCAN, 1)
    found = await tally.count(connection, tmp_path, event.id)
    assert not found.kept
    assert found.phantoms == 1


async def test_more_people_than_a_ticket_admits_are_seen(
    connection: asyncpg.Connection, event: SmallEvent, tmp_path: Path
) -> None:
    await connection.execute(ADMIT, ticket(event), SCAN, 1)
    await connection.execute(ADMIT, ticket(event), OTHER, 2)
    found = await tally.count(connection, tmp_path, event.id)
    assert not found.kept
    assert found.crowded == 1


async def test_two_answers_for_one_scan_are_seen(
    connection: asyncpg.Connection, event: SmallEvent, tmp_path: Path
) -> None:
    told(tmp_path, event, (SCAN, "refused", "too_early"), (SCAN, "hold", "unpaid"))
    found = await tally.count(connection, tmp_path, event.id)
    assert not found.kept
    assert found.doubled == 1
