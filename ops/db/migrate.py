"""Bring a database to the schema of this program.

Migrations expand first and contract one release later, so that the previous release
goes on working on the new schema (docs/subsystems/database.md).
"""

from __future__ import annotations

from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from ops.db.engine import unavailable
from ops.db.session import connect_once
from ops.db.version import REVISIONS, check, fingerprint
from ops.errors import StoreError

__all__ = ["check", "upgrade"]

LOCK_KEY = 0x6F7073_64
"""The advisory lock of migrations ("opsd"); any number, the same in all versions."""
LOCK_WAIT = "120s"
"""How long a process waits for another one that is migrating."""


def configuration() -> Config:
    """Alembic's configuration; no file is needed."""
    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).resolve().parent / "migrations")
    )
    return config


async def upgrade(url: str) -> None:
    """Run all steps that are missing; nothing when the schema is present.

    Safe when several processes start at once: they queue at an advisory lock, and the
    later ones find nothing to do. A cancelled call leaves whole steps or none.

    Raises:
        StoreUnavailable: the database could not be reached.
        StoreError: a step failed, or a lock was not had in time; nothing of that step
            is left, and the call may be repeated.
        SchemaOutdated: the database has the last step, made by an earlier state of it.
    """
    engine = connect_once(url, "ops migrate")
    try:
        with unavailable():
            connection = await engine.connect()
        try:
            await connection.execute(text(f"SET lock_timeout = '{LOCK_WAIT}'"))
            await connection.execute(text(f"SELECT pg_advisory_lock({LOCK_KEY})"))
            # The lock belongs to the connection, not to the transaction ended here;
            # closing the connection gives it back.
            await connection.commit()
            await connection.run_sync(_upgrade)
            await connection.commit()
        except (DBAPIError, asyncpg.PostgresError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise StoreError(f"the schema was not upgraded: {cause}") from error
        finally:
            await connection.close()
    finally:
        await engine.dispose()
    await check(url)


def _upgrade(connection: Connection) -> None:
    if _present(connection) == REVISIONS[-1]:
        return
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.execute(text(f"COMMENT ON SCHEMA ops IS '{fingerprint()}'"))


def _present(connection: Connection) -> str | None:
    table = connection.scalar(text("SELECT to_regclass('ops.schema_version')"))
    found = None
    if table is not None:
        found = connection.scalar(text("SELECT version_num FROM ops.schema_version"))
    connection.commit()
    return found
