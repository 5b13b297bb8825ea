"""`ops user`: the first people who may sign in; a new password for who forgot it."""

from __future__ import annotations

import asyncio

import asyncpg

from ops.auth.accounts import create_user
from ops.auth.permissions import BUILT_IN_ROLES
from ops.db import version
from ops.errors import StoreError, Unprocessable
from ops.settings import Settings

CONNECT_WITHIN_S = 5.0


def add(
    settings: Settings,
    email: str,
    role: str,
    password: str,
    name: str,
    language: str,
) -> None:
    """Write a user, or give one who exists this password and role.

    Args:
        name: given name, then the rest; empty: the beginning of the address.

    Raises:
        SchemaOutdated: `ops db upgrade` comes first.
        StoreError: PostgreSQL did not answer.
        Unprocessable: the password's length, an address that is none, or no such role.
    """
    known = [one.name for one in BUILT_IN_ROLES]
    if role not in known:
        raise Unprocessable(f"The role is one of: {', '.join(known)}.")
    if "@" not in email.strip(" @"):
        raise Unprocessable(f"{email} is no address of e-mail.")
    first, _, last = name.strip().partition(" ")
    asyncio.run(_write(settings, email, role, password, first, last, language))


async def _write(
    settings: Settings,
    email: str,
    role: str,
    password: str,
    first: str,
    last: str,
    language: str,
) -> None:
    await version.check(settings.database_url)
    try:
        connection = await asyncpg.connect(
            settings.database_url, timeout=CONNECT_WITHIN_S
        )
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise StoreError(f"database: {type(error).__name__}") from error
    try:
        await create_user(
            connection,
            email,
            password,
            role,
            first_name=first,
            last_name=last.strip(),
            language=language,
        )
    finally:
        await connection.close()
