"""Which schema this program needs, told without the machinery of migrations."""

from __future__ import annotations

import hashlib
from pathlib import Path

import asyncpg

from ops.db.engine import CONNECT_TIMEOUT_S, connection_settings, unavailable
from ops.errors import SchemaOutdated

REVISIONS = ("0001_the_house",)
"""All steps, oldest first; a test compares them with `migrations/versions`."""


def fingerprint() -> str:
    """The steps and functions of this program as 16 hex digits.

    Until the first release a step may change in place: a database of an earlier state
    of the program then has the step's name and other contents, and is told apart by
    this (stored as the comment on schema `ops`).
    """
    folder = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("migrations/ddl_*/*.sql"), *folder.glob("sql/*")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


async def check(url: str) -> None:
    """Do nothing if this program can work on the database.

    A schema that this program does not know is a newer one: releases side by side are
    part of an ordinary upgrade, and that is no error.

    Raises:
        SchemaOutdated: a step is missing, and `ops db upgrade` runs it; or the database
            was made by an earlier state of the same step, and must be made anew.
        StoreUnavailable: the database could not be reached.
    """
    with unavailable():
        connection = await asyncpg.connect(
            url,
            timeout=CONNECT_TIMEOUT_S,
            server_settings=connection_settings("ops check"),
        )
        try:
            current, made_by = await connection.fetchrow(
                "SELECT version_num, obj_description('ops'::regnamespace) "
                "FROM ops.schema_version"
            ) or (None, None)
        except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
            current = made_by = None
        finally:
            await connection.close()
    if current is None or current in REVISIONS[:-1]:
        raise SchemaOutdated(
            f"the database has schema {current or 'none'}, the program needs "
            f"{REVISIONS[-1]}; run `ops db upgrade`"
        )
    if current == REVISIONS[-1] and made_by != fingerprint():
        raise SchemaOutdated(
            "the database was made by an earlier state of this program, before its "
            "first release, and cannot be brought forward: use a new database "
            "(the demo: make demo FRESH=1)"
        )
