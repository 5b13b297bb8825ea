"""The application on a real socket, with a small event that has a working door."""

from __future__ import annotations

import httpx
import pytest

from ops.db.engine import Database
from tests.integration.people.conftest import (  # noqa: F401
    base_url,
    bearer,
    clock,
    http,
    owner,
    runtime,
)
from tests.integration.watch.watch_kit import Evening, Headers
from tests.small_event import SmallEvent


@pytest.fixture
async def event(database: Database) -> SmallEvent:
    """One event with gates, devices and tickets."""
    return await SmallEvent.make(database.pool)


@pytest.fixture
def evening(
    http: httpx.AsyncClient,  # noqa: F811
    bearer: Headers,  # noqa: F811
    event: SmallEvent,
    database: Database,
) -> Evening:
    """Its doors work, and somebody looks whenever they are asked to."""
    return Evening(http, bearer, event, database)
