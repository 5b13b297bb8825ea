"""The application on a real socket."""

from __future__ import annotations

from tests.integration.people.conftest import (  # noqa: F401
    base_url,
    bearer,
    clock,
    http,
    owner,
    runtime,
)
