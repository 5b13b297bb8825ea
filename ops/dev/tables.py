"""Rows on their way into the database: built as dictionaries, written by COPY."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

Connection = asyncpg.Connection | PoolConnectionProxy
Row = dict[str, Any]


class Table(msgspec.Struct, frozen=True):
    """Rows for one COPY, all with the same columns; `name` may begin with a schema."""

    name: str
    rows: list[Row]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the first row, which are those of all."""
        return tuple(self.rows[0]) if self.rows else ()


async def write(connection: Connection, tables: list[Table]) -> int:
    """COPY all rows in the order of the list, in one transaction; their number.

    Raises:
        asyncpg.PostgresError: a constraint was broken; nothing is written.
    """
    async with connection.transaction():
        for table in tables:
            schema, _, name = table.name.rpartition(".")
            columns = table.columns
            if any(tuple(row) != columns for row in table.rows):
                raise ValueError(f"rows of {table.name} differ in their columns")
            await connection.copy_records_to_table(
                name,
                schema_name=schema or "public",
                columns=columns,
                records=[tuple(row.values()) for row in table.rows],
            )
    return sum(len(table.rows) for table in tables)
