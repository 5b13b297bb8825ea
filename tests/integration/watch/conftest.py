"""The application on a real socket, with a small event that has a working door."""

from __future__ import annotations

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
from tests.small_event import SmallEvent


@pytest.fixture
async def event(database: Database) -> SmallEvent:
    """One event with gates, devices and tickets."""
    return await SmallEvent.make(database.pool)
