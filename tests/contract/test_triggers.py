"""Which columns a door hears of: none is forgotten when a table grows.

Tables with counters or heartbeats name the columns whose change matters. Each other
column stands here, so that a new one makes somebody decide.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

QUIET = {
    "public.ticket_types": {
        "id", "description", "tax_rate", "sold_count", "reserved_count", "created_at",
        "updated_at", "no", "version", "after_exchange",
    },
    "public.sessions": {
        "id", "speaker_id", "description", "difficulty_level", "duration_minutes",
        "current_registrations", "materials_urls", "recording_url", "chat_enabled",
        "qa_enabled", "created_at", "updated_at", "seat_release_minutes",
        "seat_hold_minutes", "seats_released_at",
    },
    "ops.areas": {"id", "no", "inside", "manual", "disputed", "version", "created_at"},
    "ops.scopes": {"id", "no", "inside", "version", "created_at"},
    "ops.devices": {
        "id", "no", "pairing_code_hash", "pairing_expires_at", "hardware", "software",
        "battery", "pending", "clock_skew_ms", "returns_to_id", "last_seen_at",
        "paired_at", "version",
        "created_at",
    },
    "ops.operators": {"id", "no", "failed_pins", "version", "created_at"},
}  # fmt: skip

LISTENING = """
SELECT t.tgname AS name,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr)) AS columns
FROM pg_trigger t
WHERE t.tgrelid = $1::regclass AND cardinality(t.tgattr::int2[]) > 0
  AND t.tgname IN ('bump', 'outbox_update', 'plan_update')
"""

COLUMNS = """
SELECT attname::text FROM pg_attribute
WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
"""


@pytest.fixture(scope="module")
async def catalog(
    catalog_url: str,
) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(
        catalog_url, server_settings={"search_path": "public"}
    )
    yield connection
    await connection.close()


@pytest.mark.parametrize("table", sorted(QUIET))
async def test_each_column_is_heard_or_quiet_on_purpose(
    catalog: asyncpg.Connection[asyncpg.Record], table: str
) -> None:
    columns = {row[0] for row in await catalog.fetch(COLUMNS, table)}
    triggers = await catalog.fetch(LISTENING, table)
    assert triggers
    for trigger in triggers:
        # A version is raised whatever a statement says, also if it names the version.
        quiet = QUIET[table] - ({"version"} if trigger["name"] == "bump" else set())
        assert columns - set(trigger["columns"]) == quiet, trigger["name"]


async def test_no_other_trigger_has_a_list_of_columns(
    catalog: asyncpg.Connection[asyncpg.Record],
) -> None:
    listing = await catalog.fetch(
        "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger"
        " WHERE cardinality(tgattr::int2[]) > 0 AND NOT tgisinternal"
    )
    wanted = {name.removeprefix("public.") for name in QUIET}
    # No door hears of these: histories of the pipeline, flags of a contact.
    others = {"vouchers", "contacts", "leads", "opportunities", "ops.consents"}
    assert {row[0] for row in listing} == wanted | others


@pytest.mark.parametrize(
    "table",
    [
        "check_ins",
        "ops.scan_log",
        "ops.facts",
        "ops.outbox",
        "ops.cursors",
        "ops.plan_versions",
        "ops.cache_epochs",
    ],
)
async def test_no_trigger_slows_a_scan(
    catalog: asyncpg.Connection[asyncpg.Record], table: str
) -> None:
    names = await catalog.fetch(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = $1::regclass"
        " AND NOT tgisinternal AND tgname <> 'append_only'",
        table,
    )
    assert names == []


CONFIRM = "UPDATE check_ins SET confirmed_at = now()"
HOT = """
SELECT n_tup_hot_upd::float / n_tup_upd FROM pg_stat_xact_user_tables
WHERE relname = 'check_ins'
"""


async def confirmed_hot(database_url: str, *before: str) -> float:
    """Which share of confirmations touched no index."""
    connection = await asyncpg.connect(database_url)
    try:
        for statement in before:
            await connection.execute(statement)
        await connection.execute(
            "INSERT INTO check_ins (scan_id) SELECT gen_random_uuid()"
            " FROM generate_series(1, 300)"
        )
        async with connection.transaction():
            # Each tenth: a transaction cannot use again what it has freed itself.
            rows = await connection.fetch("SELECT id FROM check_ins ORDER BY ctid")
            await connection.execute(
                f"{CONFIRM} WHERE id = ANY ($1)", [row["id"] for row in rows[::10]]
            )
            return float(await connection.fetchval(HOT))
    finally:
        await connection.close()


async def test_a_confirmation_touches_no_index(database_url: str) -> None:
    assert await confirmed_hot(database_url) == 1


async def test_an_index_on_the_confirmation_would_cost_all_of_them(
    database_url: str,
) -> None:
    # The negative control.
    index = "CREATE INDEX ON check_ins (id) WHERE confirmed_at IS NULL"
    assert await confirmed_hot(database_url, index) == 0
