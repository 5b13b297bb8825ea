"""What the tests of the CRM share: contacts with awkward names, users who are sales."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ops.db.engine import Database
from ops.ids import uuid7

LONG = "Wolfeschlegelsteinhausenbergerdorff-Ngũgĩ wa Thiong'o Papadimi"


async def contact(database: Database, email: str, **columns: Any) -> UUID:
    """Insert a contact."""
    values = {
        "id": uuid7(),
        "email": email,
        "first_name": "Zoë 李小龙",
        "last_name": "O'Brien-Łukasz",
        **columns,
    }
    return await insert(database, "contacts", **values)


async def insert(database: Database, table: str, **columns: Any) -> UUID:
    """Insert a row of any table with an id; the names come from the tests alone."""
    columns.setdefault("id", uuid7())
    names = ", ".join(columns)
    marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    return await database.pool.fetchval(
        f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id",
        *columns.values(),
    )
