"""The application over real stores, with an owner who is signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ops.crm_sync.worker import Worker
from ops.runtime import Runtime
from ops.settings import Settings
from tests.integration.people.conftest import (
    base_url,
    bearer,
    clock,
    http,
    owner,
    place,
)
from tests.integration.people.people_kit import MovedClock, cheap_passwords, patient

__all__ = ["base_url", "bearer", "clock", "http", "owner", "place"]


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings with a folder of this test."""
    return patient(database_url, redis_url, tmp_path)


@pytest.fixture
async def runtime(settings: Settings, clock: MovedClock) -> AsyncIterator[Runtime]:
    """The parts of the application, stopped after the test."""
    runtime = Runtime(settings, clock, cheap_passwords())
    yield runtime
    await runtime.stop()


@pytest.fixture
async def sync(settings: Settings) -> AsyncIterator[Worker]:
    """The sync role at work in this process."""
    worker = Worker(settings)
    await worker.start()
    yield worker
    await worker.stop()
