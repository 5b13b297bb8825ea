"""The built-in roles and the first users: for the command line and the demo."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from ops.auth import queries
from ops.auth.login import normal_email
from ops.auth.passwords import Passwords
from ops.auth.permissions import BUILT_IN_ROLES
from ops.errors import Unprocessable
from ops.ids import uuid7


async def ensure_roles(connection: Any) -> None:
    """Insert the built-in roles that are missing; never changes one that exists."""
    await connection.executemany(
        queries.ENSURE_ROLE,
        [
            (
                uuid7(),
                role.name,
                role.level,
                role.description,
                msgspec.json.encode(role.permissions).decode(),
            )
            for role in BUILT_IN_ROLES
        ],
    )


async def create_user(
    connection: Any,
    email: str,
    password: str,
    role: str,
    *,
    first_name: str = "",
    last_name: str = "",
    language: str = "en",
    passwords: Passwords | None = None,
) -> UUID:
    """Create a user, or give an existing one this password and role; returns the id.

    Hashes in the calling thread (a quarter second).

    Raises:
        Unprocessable: the password's length, or no such role.
    """
    await ensure_roles(connection)
    hashing = passwords or Passwords()
    try:
        stored = hashing.hash_now(password)
    finally:
        if passwords is None:
            hashing.stop()
    address = normal_email(email)
    user_id: UUID | None = await connection.fetchval(
        queries.INSERT_USER,
        uuid7(),
        first_name or address.partition("@")[0],
        last_name,
        address,
        stored,
        role,
        language,
    )
    if user_id is None:
        raise Unprocessable(f"There is no role {role}.", code="unknown_role")
    return user_id
