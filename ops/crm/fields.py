"""The columns of a table as the API sees them: types, limits, allowed words.

Derived once from the SQLAlchemy models: types from the columns, allowed words and
ranges from the checks, references from the foreign keys. So a rule stands in one place,
and the API can name it before PostgreSQL has to refuse.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import INET, JSONB, TIMESTAMP
from sqlalchemy.types import TIMESTAMP as GENERIC_TIMESTAMP

Kind = Literal[
    "text",
    "integer",
    "decimal",
    "boolean",
    "uuid",
    "timestamp",
    "date",
    "time",
    "json",
    "objects",
    "texts",
    "uuids",
    "address",
    "bytes",
]

PYTHON: Final[dict[Kind, Any]] = {
    "text": str,
    "integer": int,
    "decimal": Decimal,
    "boolean": bool,
    "uuid": UUID,
    "timestamp": datetime,
    "date": date,
    "time": time,
    "json": dict[str, Any],
    "objects": list[dict[str, Any]],
    "texts": list[str],
    "uuids": list[UUID],
    "address": str,
    "bytes": bytes,
}
TEXT_LENGTH_MAX = 20_000
KEY_LENGTH_MAX = 320
"""Texts in a unique key or an index: PostgreSQL refuses entries over 2,700 bytes."""
LIST_LENGTH_MAX = 500

_IN = re.compile(r"^(\w+) IN \((.+)\)$", re.DOTALL)
_WITHIN = re.compile(r"^(\w+) <@ ARRAY\[(.+)\]$", re.DOTALL)
_BETWEEN = re.compile(r"^(\w+) BETWEEN (-?\d+) AND (-?\d+)$")
_AT_LEAST = re.compile(r"^(\w+) >= (-?\d+)$")
_AT_MOST = re.compile(r"^(\w+) <= (-?\d+)$")
_OBJECTS = re.compile(r"^jsonb_typeof\((\w+)\) = 'array'$")
_WORD = re.compile(r"'([^']*)'")
_INTEGERS: Final = ((SmallInteger, 15), (BigInteger, 63), (Integer, 31))


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A column.

    `has_default`: may be left out when a row is made. `generated`: PostgreSQL alone
    writes it. `low` and `high` bound numbers; `scale` is the places after the point.
    """

    name: str
    kind: Kind
    nullable: bool
    has_default: bool
    generated: bool = False
    allowed: tuple[str, ...] | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    scale: int | None = None
    length_max: int = TEXT_LENGTH_MAX
    references: str | None = None

    @property
    def python(self) -> Any:
        """The type of its values."""
        return PYTHON[self.kind]

    @property
    def sql_type(self) -> str:
        """The type that a parameter is cast to."""
        return _SQL_TYPES[self.kind]


_SQL_TYPES: Final[dict[Kind, str]] = {
    "text": "text",
    "integer": "bigint",
    "decimal": "numeric",
    "boolean": "boolean",
    "uuid": "uuid",
    "timestamp": "timestamptz",
    "date": "date",
    "time": "time",
    "json": "jsonb",
    "objects": "jsonb",
    "texts": "text[]",
    "uuids": "uuid[]",
    "address": "inet",
    "bytes": "bytea",
}


def kind_of(column: Column[Any]) -> Kind:
    """The kind of a column's values.

    Raises:
        TypeError: a type that no table of the API has had so far.
    """
    kinds: tuple[tuple[type | tuple[type, ...], Kind], ...] = (
        (Uuid, "uuid"),
        (Boolean, "boolean"),
        ((SmallInteger, BigInteger, Integer), "integer"),
        (Numeric, "decimal"),
        ((TIMESTAMP, GENERIC_TIMESTAMP), "timestamp"),
        (Date, "date"),
        (Time, "time"),
        (JSONB, "json"),
        (INET, "address"),
        (LargeBinary, "bytes"),
        (Text, "text"),
    )
    if isinstance(column.type, ARRAY):
        return "uuids" if isinstance(column.type.item_type, Uuid) else "texts"
    for types, kind in kinds:
        if isinstance(column.type, types):
            return kind
    raise TypeError(f"{column}: no kind for {column.type!r}")


def fields_of(table: Table) -> dict[str, Field]:
    """The columns of a table, in its order."""
    rules = _rules(table)
    keys = _key_columns(table)
    return {
        column.name: _field(column, rules.get(column.name, {}), column.name in keys)
        for column in table.columns
    }


def _field(column: Column[Any], rules: dict[str, Any], in_key: bool) -> Field:
    limits: dict[str, Any] = dict(rules)
    kind: Kind = limits.pop("kind", None) or kind_of(column)
    if kind == "integer":
        bits = next(bits for kind_, bits in _INTEGERS if isinstance(column.type, kind_))
        limits.setdefault("low", Decimal(-(2**bits)))
        limits.setdefault("high", Decimal(2**bits - 1))
    if kind == "decimal" and isinstance(column.type, Numeric):
        scale = column.type.scale or 0
        largest = Decimal(10) ** ((column.type.precision or 30) - scale)
        step = Decimal(1).scaleb(-scale)
        limits["scale"] = scale
        limits.setdefault("low", step - largest)
        limits.setdefault("high", largest - step)
    references = [key.target_fullname for key in column.foreign_keys]
    return Field(
        name=column.name,
        kind=kind,
        nullable=bool(column.nullable),
        has_default=column.server_default is not None or column.identity is not None,
        generated=column.computed is not None or column.identity is not None,
        references=references[0].rpartition(".")[0] if references else None,
        length_max=KEY_LENGTH_MAX if in_key else TEXT_LENGTH_MAX,
        **limits,
    )


def _rules(table: Table) -> dict[str, dict[str, Any]]:
    """What the checks of a table say of single columns."""
    found: dict[str, dict[str, Any]] = {}
    for constraint in table.constraints:
        if not isinstance(constraint, CheckConstraint):
            continue
        text = str(constraint.sqltext)
        if match := (_IN.match(text) or _WITHIN.match(text)):
            words = tuple(_WORD.findall(match[2]))
            found.setdefault(match[1], {})["allowed"] = words
        elif match := _BETWEEN.match(text):
            rules = found.setdefault(match[1], {})
            rules["low"], rules["high"] = Decimal(match[2]), Decimal(match[3])
        elif match := _AT_LEAST.match(text):
            found.setdefault(match[1], {})["low"] = Decimal(match[2])
        elif match := _AT_MOST.match(text):
            found.setdefault(match[1], {})["high"] = Decimal(match[2])
        elif match := _OBJECTS.match(text):
            found.setdefault(match[1], {})["kind"] = "objects"
    return found


def _key_columns(table: Table) -> set[str]:
    """Columns whose values stand in an index as they are."""
    names = {column.name for index in table.indexes for column in index.columns}
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            names |= {column.name for column in constraint.columns}
    return names | {column.name for column in table.columns if column.unique}


def constraints_of(table: Table) -> dict[str, tuple[str, ...]]:
    """The columns of each named constraint: what PostgreSQL's refusals name."""
    found: dict[str, tuple[str, ...]] = {}
    for constraint in table.constraints:
        name = str(constraint.name or "")
        if isinstance(constraint, CheckConstraint):
            match = re.match(r"^(\w+) ", str(constraint.sqltext))
            found[name] = (match[1],) if match else ()
        else:
            columns = getattr(constraint, "columns", ())
            found[name] = tuple(column.name for column in columns)
    return {name: columns for name, columns in found.items() if name}
