"""The application over real stores, an event with devices, people who sign in."""

from __future__ import annotations

import httpx
import pytest

from ops.db.engine import Database
from tests.integration.attendance.kit import Doors
from tests.integration.people.conftest import (
    base_url,
    bearer,
    clock,
    http,
    owner,
    runtime,
)
from tests.integration.people.people_kit import MovedClock
from tests.small_event import SmallEvent

__all__ = ["base_url", "bearer", "clock", "http", "owner", "runtime"]


@pytest.fixture
async def doors(
    http: httpx.AsyncClient,
    database: Database,
    bearer: dict[str, str],
    clock: MovedClock,
) -> Doors:
    """The small event with its devices, and an owner who is signed in."""
    event = await SmallEvent.make(database.pool, tickets=20)
    return Doors(http, database, event, bearer, clock)
