"""The application on a real socket over real stores, with one event and one owner."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from ops.db.engine import Database
from ops.runtime import Runtime
from tests.integration.people.one_app import ONE_APP
from tests.integration.people.people_kit import (
    OWNER,
    MovedClock,
    Place,
    cheap_passwords,
    make_place,
    patient,
    sign_in,
)
from tests.integration.people.people_kit import user as make_user
from tests.running import client
from tests.serving import served


@pytest.fixture
def clock() -> MovedClock:
    """The clock of the application."""
    return MovedClock()


@pytest.fixture
async def runtime(
    database_url: str, redis_url: str, clock: MovedClock, tmp_path: Path
) -> AsyncIterator[Runtime]:
    """The parts of the application, stopped after the test."""
    settings = patient(database_url, redis_url, tmp_path)
    runtime = Runtime(settings, clock, cheap_passwords())
    yield runtime
    await runtime.stop()


@pytest.fixture
async def base_url(runtime: Runtime) -> AsyncIterator[str]:
    """Where the application listens: a free port of the loopback."""
    await runtime.start()
    async with served(ONE_APP.around(runtime), lifespan=False) as url:
        yield url


@pytest.fixture
async def http(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client without cookies of its own."""
    async with client(base_url=base_url) as http:
        yield http


@pytest.fixture
async def owner(database: Database) -> UUID:
    """A user who may do everything."""
    return await make_user(database, OWNER, "owner")


@pytest.fixture
async def bearer(http: httpx.AsyncClient, owner: UUID) -> dict[str, str]:
    """The header of a signed-in owner."""
    return await sign_in(http, OWNER)


@pytest.fixture
async def place(database: Database) -> Place:
    """An event with a venue, one area, one gate and one scope."""
    return await make_place(database)
