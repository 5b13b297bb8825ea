"""NFC tags at the desk: every spelling, from the cache and from PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ops.admission.scan import ScanRequest
from ops.cache.client import Cache
from ops.checkin import codes
from ops.clock import Clock
from ops.db.engine import Database
from ops.ids import uuid7
from tests.house import House

TAG = "04A2B9C1D2E380"


@pytest.fixture(params=[True, False], ids=["cache", "database"])
async def house(
    request: pytest.FixtureRequest, database: Database, redis_url: str, tmp_path: Path
) -> AsyncIterator[House]:
    cache = Cache(redis_url, timeout_s=5.0)
    one = House(database, cache, tmp_path, Clock())
    await one.start(warm=False)
    await database.pool.execute(
        "INSERT INTO ops.ticket_codes (id, event_id, code_hash, ticket_id, kind)"
        " VALUES ($1, $2, $3, $4, 'medium')",
        uuid7(),
        one.event.id,
        codes.uid_hash(TAG),
        one.event.tickets["T-1"],
    )
    if request.param:
        assert await one.rewarm()
    yield one
    await one.stop()
    await cache.stop()


@pytest.mark.parametrize("text", [TAG, TAG.lower(), "04:a2:b9:c1:d2:e3:80"])
async def test_every_spelling_opens_the_ticket(house: House, text: str) -> None:
    scan = ScanRequest(uuid7(), text, method="nfc")
    item = (await house.desk.scan(house.event.id, house.event.device, scan)).item
    assert item.decision is not None
    assert item.decision.verdict == "admitted"
    assert item.facts is not None
    assert item.facts.ticket_id == house.event.tickets["T-1"]
    # The control: by the exact text alone the band is unknown.
    exact = codes.code_hash(text)
    assert not await house.database.pool.fetchval(
        "SELECT count(*) FROM ops.ticket_codes WHERE code_hash = $1", exact
    )
    logged = await house.database.pool.fetchval(
        "SELECT code_hash FROM ops.scan_log WHERE scan_id = $1", scan.id
    )
    assert logged == exact
