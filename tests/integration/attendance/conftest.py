"""The application over real stores, an event with devices, people who sign in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from ops.db.engine import Database
from ops.runtime import Runtime
from ops.settings import Settings
from tests.integration.attendance.kit import Doors
from tests.integration.people.conftest import base_url, bearer, clock, http, owner
from tests.integration.people.people_kit import MovedClock, cheap_passwords
from tests.small_event import SmallEvent

__all__ = ["base_url", "bearer", "clock", "http", "owner"]


@pytest.fixture
async def runtime(
    database_url: str, redis_url: str, clock: MovedClock, tmp_path: Path
) -> AsyncIterator[Runtime]:
    """The parts of the application, stopped after the test."""
    settings = Settings(
        database_url=database_url, redis_url=redis_url, data_dir=tmp_path
    )
    runtime = Runtime(settings, clock, cheap_passwords())
    yield runtime
    await runtime.stop()


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
