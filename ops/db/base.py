"""What all tables share: names of constraints, types of columns, ids and references."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    DDL,
    TIMESTAMP,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Text,
    Uuid,
    event,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column
from sqlalchemy.types import UserDefinedType

from ops.ids import uuid7

NAMES = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
}

OnDelete = Literal["CASCADE", "SET NULL"]


class Base(DeclarativeBase):
    """The base of all models; tables without a schema are the seed's, in `public`."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own form
        str: Text(),
        datetime: TIMESTAMP(timezone=True),
        Decimal: Numeric(),
        UUID: Uuid(),
        list[str]: ARRAY(Text()),
        list[UUID]: ARRAY(Uuid()),
        dict[str, Any]: JSONB(),
    }


# As migrations/ddl_0001/00_extensions.sql: indexes of the models speak of it.
event.listen(
    Base.metadata,
    "before_create",
    DDL("CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public"),  # type: ignore[no-untyped-call]
)


class Xid8(UserDefinedType[int]):
    """The full number of a transaction; never wraps around."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


# So that a reflected column of this type is known and can be compared.
PGDialect.ischema_names["xid8"] = Xid8


def primary_key() -> MappedColumn[Any]:
    """A UUID primary key: v7 made in Python, random where SQL inserts by itself."""
    return mapped_column(
        primary_key=True, default=uuid7, server_default=text("gen_random_uuid()")
    )


def number() -> MappedColumn[Any]:
    """A small integer name of the row, for the packed keys of the cache."""
    return mapped_column(Integer, Identity(), unique=True)


def reference(
    target: str,
    on_delete: OnDelete | None = None,
    *,
    index: bool = True,
    use_alter: bool = False,
    unique: bool | None = None,
    primary_key: bool = False,
) -> MappedColumn[Any]:
    """A foreign key and its index.

    Args:
        target: `table.column` or `ops.table.column`.
        on_delete: None refuses to delete a row that is still referred to.
        index: False where a longer index or a unique key begins with the column.
        use_alter: added after both tables exist, for a circle of references.
    """
    return mapped_column(
        ForeignKey(target, ondelete=on_delete, use_alter=use_alter),
        index=index or None,
        unique=unique,
        primary_key=primary_key,
    )


def default(sql: str) -> MappedColumn[Any]:
    """A column whose default PostgreSQL computes from this SQL expression."""
    return mapped_column(server_default=text(sql))


def one_of(column: str, *values: str) -> CheckConstraint:
    """A check that the column holds one of these words (or is null)."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)


def between(column: str, low: int, high: int) -> CheckConstraint:
    """A check that the column lies in this range, both ends included."""
    return CheckConstraint(f"{column} BETWEEN {low} AND {high}", name=column)


def searched(columns: str, row: str = "") -> str:
    """The folded text of columns (words of a text) that a search looks through.

    Args:
        row: what stands before each name, "t." for example.
    """
    names = ", ".join(f"{row}{name}" for name in columns.split())
    return f"ops.searched(VARIADIC ARRAY[{names}])"


def search_index(table: str, columns: str) -> Index:
    """The index of a search for any part of a text (`ops/db/sql/folded.sql`)."""
    return Index(
        f"ix_{table}_search",
        literal_column(searched(columns)).label("words"),
        postgresql_using="gin",
        postgresql_ops={"words": "gin_trgm_ops"},
    )
