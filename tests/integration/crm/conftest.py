"""The application over real stores, with an owner who is signed in."""

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
