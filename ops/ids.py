"""Identifiers: UUIDv7 made in Python (the embedded PostgreSQL has no uuid-ossp).

Time-ordered, so that primary keys grow at the right edge of their index.
"""

from __future__ import annotations

import secrets
from typing import NewType
from uuid import UUID

import uuid_utils

EventId = NewType("EventId", UUID)
TicketId = NewType("TicketId", UUID)
ScopeId = NewType("ScopeId", UUID)
AreaId = NewType("AreaId", UUID)
GateId = NewType("GateId", UUID)
DeviceId = NewType("DeviceId", UUID)
ScanId = NewType("ScanId", UUID)


def uuid7() -> UUID:
    """A new UUIDv7, as the standard library's type."""
    return UUID(int=uuid_utils.uuid7().int)


def token(prefix: str) -> str:
    """A new secret of 256 bits, with a prefix that says what it opens."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"
