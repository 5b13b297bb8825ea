"""The application on a real socket, with the small event."""

from __future__ import annotations

import pytest

from ops.db.engine import Database
from tests.integration.offline.kit import Phone
from tests.integration.people.conftest import (  # noqa: F401 - fixtures
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
    """Twenty tickets, three phones, one group of four."""
    return await SmallEvent.make(database.pool)


@pytest.fixture
def phone(http, event: SmallEvent) -> Phone:  # noqa: F811
    """Phone 1, at the main gate."""
    return Phone(http, event, event.device)
