"""Bring a database to the schema of this program, or say that it is not there.

Migrations expand first and contract one release later, so that the previous release
goes on working on the new schema (docs/subsystems/database.md).
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ops.db.engine import connect_once, unavailable
from ops.errors import SchemaOutdated

LOCK_KEY = 0x6F7073_64
"""The advisory lock of migrations ("opsd"); any number, the same in all versions."""
LOCK_WAIT = "120s"
"""How long a process waits for another one that is migrating."""


def _config() -> Config:
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
        finally:
            await connection.close()
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def check(url: str) -> None:
    """Do nothing if this program can work on the database.

    A schema that this program does not know is a newer one: releases side by side are
    part of an ordinary upgrade, and that is no error.

    Raises:
        SchemaOutdated: a step is missing; `ops db upgrade` runs it.
        StoreUnavailable: the database could not be reached.
    """
    engine = connect_once(url, "ops check")
    try:
        with unavailable():
            connection = await engine.connect()
        try:
            present = await connection.scalar(
                text("SELECT to_regclass('ops.schema_version') IS NOT NULL")
            )
            current = (
                await connection.scalar(
                    text("SELECT version_num FROM ops.schema_version")
                )
                if present
                else None
            )
        finally:
            await connection.close()
    finally:
        await engine.dispose()
    script = ScriptDirectory.from_config(_config())
    known = [step.revision for step in script.walk_revisions()]
    if current is None or current in known[1:]:
        raise SchemaOutdated(
            f"the database has schema {current or 'none'}, the program needs "
            f"{known[0]}; run `ops db upgrade`"
        )


async def _present(connection: AsyncConnection) -> str | None:
    table = "ops.schema_version"
    if await connection.scalar(text(f"SELECT to_regclass('{table}')")) is None:
        return None
    version = await connection.scalar(text(f"SELECT version_num FROM {table}"))
    return None if version is None else str(version)
