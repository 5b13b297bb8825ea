"""What the tests of the CRM share: contacts with awkward names, users who are sales."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from ops.db.engine import Database
from ops.ids import uuid7

START = datetime(2026, 11, 26, 18, tzinfo=UTC)
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


REQUIRED = """
SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type,
       (SELECT format('%I.%I', fn.nspname, f.relname) FROM pg_constraint k
          JOIN pg_class f ON f.oid = k.confrelid
          JOIN pg_namespace fn ON fn.oid = f.relnamespace
         WHERE k.contype = 'f' AND k.conrelid = a.attrelid
           AND k.conkey = ARRAY[a.attnum] LIMIT 1) AS refers,
       (SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k
         WHERE k.contype = 'c' AND k.conrelid = a.attrelid
           AND k.conkey = ARRAY[a.attnum] LIMIT 1) AS rule
  FROM pg_attribute a
 WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = ''
"""
UNIQUE = {"text": lambda: f"x{uuid7().hex}", "uuid": uuid7}
VALUES: dict[str, Any] = {
    "integer": 1,
    "smallint": 1,
    "bigint": 1,
    "numeric": 1,
    "boolean": True,
    "jsonb": {},
    "text[]": [],
    "uuid[]": [],
    "bytea": b"x" * 16,
}


async def smallest_row(database: Database, table: str, **columns: Any) -> Any:
    """Insert a row with as little as the catalogue asks for, and what it refers to.

    So a table that is added tomorrow is covered without a line here. Returns its ctid.
    """
    for row in await database.pool.fetch(REQUIRED, table):
        if row["name"] in columns:
            continue
        if row["refers"] and row["name"] not in columns:
            made = await smallest_row(database, row["refers"])
            columns[row["name"]] = await database.pool.fetchval(
                f"SELECT id FROM {row['refers']} WHERE ctid = $1::text::tid", made
            )
        else:
            columns[row["name"]] = _value(row)
    if table == "public.events":
        columns |= {"starts_at": START, "ends_at": START + timedelta(hours=1)}
    if table == "ops.answers" and "question_id" not in columns:
        columns["years"] = 19  # an answer is to a question or says an age
    if not columns:
        return await database.pool.fetchval(
            f"INSERT INTO {table} DEFAULT VALUES RETURNING ctid::text"
        )
    marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    return await database.pool.fetchval(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        " RETURNING ctid::text",
        *columns.values(),
    )


def _value(row: Any) -> Any:
    words = re.findall(r"'([^']+)'::text", row["rule"] or "")
    if words:
        return words[0]
    if row["type"] in UNIQUE:
        return UNIQUE[row["type"]]()
    if row["type"].startswith("timestamp"):
        return START
    return VALUES[row["type"]]
