"""The alerts say which mode the event is in, also when PostgreSQL cannot be asked."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from ops.errors import StoreUnavailable
from ops.live import mode
from ops.live.alerts import Alerts
from ops.live.mode import AlertsWithMode

EVENT = UUID(int=1)


class Stores:
    """What the two stores say, as a test sets it."""

    def __init__(self) -> None:
        self.mode: str | None = "N"
        self.database: Alerts | Exception | None = Alerts((), (), 3)
        self.alerts = AlertsWithMode(self.read, self.in_cache)

    async def read(self, _: UUID) -> Alerts | None:
        if isinstance(self.database, Exception):
            raise self.database
        return self.database

    async def in_cache(self, _: UUID) -> str | None:
        return self.mode


@pytest.mark.parametrize(
    ("cached", "away", "told"),
    [
        ("N", False, ("normal", False)),
        ("D", False, ("journal", False)),
        (None, False, ("no-redis", False)),
        ("N", True, ("journal", True)),
        ("D", True, ("journal", True)),
        (None, True, ("down", True)),
    ],
)
async def test_the_mode(cached: str | None, away: bool, told: tuple[str, bool]) -> None:
    stores = Stores()
    await stores.alerts(EVENT)
    stores.mode = cached
    if away:
        stores.database = StoreUnavailable("away")
    found = await stores.alerts(EVENT)
    assert found is not None
    assert (found.mode, found.old, found.conflicts) == (*told, 3)


async def test_a_list_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A PostgreSQL that was stopped says nothing; the screens hear that."""
    stores = Stores()
    await stores.alerts(EVENT)
    monkeypatch.setattr(mode, "READ_S", 0.01)

    async def hangs(_: UUID) -> Alerts | None:
        await asyncio.Event().wait()
        return None

    monkeypatch.setattr(stores.alerts, "_read", hangs)
    found = await asyncio.wait_for(stores.alerts(EVENT), 5)
    assert found is not None
    assert (found.mode, found.old) == ("journal", True)


async def test_without_a_list_of_before_nothing_is_told() -> None:
    stores = Stores()
    stores.database = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await stores.alerts(EVENT)


async def test_an_event_that_is_gone_is_forgotten() -> None:
    stores = Stores()
    await stores.alerts(EVENT)
    stores.database = None
    assert await stores.alerts(EVENT) is None
    stores.database = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await stores.alerts(EVENT)
