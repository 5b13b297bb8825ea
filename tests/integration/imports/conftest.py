"""The application on a real socket, as the tests of people start it."""

from __future__ import annotations

from tests.integration.people.conftest import (
    base_url,
    bearer,
    clock,
    http,
    owner,
    place,
    runtime,
)

__all__ = ["base_url", "bearer", "clock", "http", "owner", "place", "runtime"]
