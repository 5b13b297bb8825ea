"""Which schema this program needs, told without the machinery of migrations."""

from __future__ import annotations

import asyncpg

from ops.db.engine import CONNECT_TIMEOUT_S, connection_settings, unavailable
from ops.errors import SchemaOutdated

REVISIONS = ("0001_the_house",)
"""All steps, oldest first; a test compares them with `migrations/versions`."""


async def check(url: str) -> None:
    """Do nothing if this program can work on the database.

    A schema that this program does not know is a newer one: releases side by side are
    part of an ordinary upgrade, and that is no error.

    Raises:
        SchemaOutdated: a step is missing; `ops db upgrade` runs it.
        StoreUnavailable: the database could not be reached.
    """
    with unavailable():
        connection = await asyncpg.connect(
            url,
            timeout=CONNECT_TIMEOUT_S,
            server_settings=connection_settings("ops check"),
        )
        try:
            current = await connection.fetchval(
                "SELECT version_num FROM ops.schema_version"
            )
        except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
            current = None
        finally:
            await connection.close()
    if current is None or current in REVISIONS[:-1]:
        raise SchemaOutdated(
            f"the database has schema {current or 'none'}, the program needs "
            f"{REVISIONS[-1]}; run `ops db upgrade`"
        )
