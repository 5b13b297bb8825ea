"""A stop holds in every mode: told before, it outlives PostgreSQL and the cache.

Mode D2 (facts from PostgreSQL) is played by the golden cases and by every test of
`test_emergency.py`, whose cache is cold; what a device without a network was told last
is played by `tests/js/test_engine.py` over the same cases.
"""

from __future__ import annotations

from datetime import UTC, datetime

from ops.attendance import stops
from ops.ids import uuid7
from tests.house import House
from tests.integration.test_journal_mode import NewHouse, house
from tests.journal_kit import give_back, said, scan, take_away

__all__ = ["house"]


async def stop(one: House) -> None:
    """As the first step does: the row that every door reads with its plan."""
    made = await one.database.pool.fetchval(
        stops.STOP,
        *(uuid7(), one.event.id, None, None, "smoke", None, None),
        datetime.now(UTC),
    )
    assert made is not None
    assert await one.rewarm()


async def test_a_stop_outlives_postgresql(house: NewHouse) -> None:
    one = await house(gone=False)
    assert said(await scan(one, "T-1")) == "admitted ok"
    await stop(one)
    assert said(await scan(one, "T-2")) == "refused admission_stopped"
    take_away(one)
    assert said(await scan(one, "T-2")) == "refused admission_stopped"
    # Exits go on, by the journal.
    out = await scan(one, "T-1", direction="out")
    assert (said(out), out.durable) == ("exited ok", "journal")
    give_back(one)


async def test_without_the_stop_the_journal_admits(house: NewHouse) -> None:
    """Negative control."""
    one = await house()
    item = await scan(one, "T-2")
    assert (said(item), item.durable) == ("admitted ok", "journal")
