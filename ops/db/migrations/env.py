"""Alembic's entry: run by `ops.db.migrate`, or by the `alembic` command.

`ops.db.migrate` hands its open connection over in `config.attributes["connection"]`.
The command (for `alembic revision --autogenerate`) opens one from OPS_DATABASE_URL.
"""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, text

import ops.db.models  # noqa: F401 - fills the metadata
from ops import settings
from ops.db.base import Base
from ops.db.session import connect_once
from ops.errors import SettingsError

LOCK_TIMEOUT = "5s"
"""A migration that would make the door wait longer gives up instead."""


def run(connection: Connection) -> None:
    """Run the steps that the command asked for, each in a transaction of its own."""
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS ops"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_schemas=True,
        version_table="schema_version",
        version_table_schema="ops",
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _run_alone() -> None:
    url = settings.load().database_url
    if not url:
        raise SettingsError("OPS_DATABASE_URL must name the database to compare with")
    engine = connect_once(url, "alembic")
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    asyncio.run(_run_alone())
