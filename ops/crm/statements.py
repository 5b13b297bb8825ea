"""The SQL of the generic API, made from descriptions. Pure.

Names of tables and columns come from the models; values are parameters, always. The row
is called `t`. `xmin`, the number of the transaction that wrote the row last, is its
etag: it changes with every UPDATE, whoever makes it. Rows that every scan counts in
(areas, scopes) have their version instead, or nobody could change one in the evening.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from ops.crm.fields import Field
from ops.crm.query import Condition, Query
from ops.crm.resource import Resource
from ops.db.base import searched as searched_text

_SIGNS: Final = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


class Statement(NamedTuple):
    """A text and its parameters."""

    sql: str
    values: list[Any]


def columns(resource: Resource, names: Iterable[str]) -> str:
    """The list of columns to read, with the etag."""
    parts = []
    for name in names:
        field = resource.fields[name]
        if field.kind == "address":
            parts.append(f"host(t.{name}) AS {name}")
        else:
            parts.append(f"t.{name}")
    return ", ".join([*parts, f"{resource.etag}::text AS etag"])


def searched(resource: Resource, names: Sequence[str] | None = None) -> str:
    """The text that a search looks through; the index has the same expression."""
    return searched_text(" ".join(resource.search if names is None else names), "t.")


def literal(text: str) -> str:
    """A text as LIKE takes it for itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def pattern(word: str) -> str:
    """What LIKE is asked for a word; a short one must begin a word (trigrams)."""
    return f"% {literal(word)}%" if len(word) < 3 else f"%{literal(word)}%"


def listing(
    resource: Resource,
    query: Query,
    names: Sequence[str],
    within: str,
    values: list[Any],
    private: frozenset[str],
) -> Statement:
    """One page and one row more; `within` is what the person may see."""
    conditions = [within] if within else []
    conditions += [_condition(resource, c, values) for c in query.conditions]
    conditions += _search(resource, query, values, private)
    read = columns(resource, dict.fromkeys([*names, query.sort, "id"]))
    order = "DESC" if query.descending else "ASC"
    by = [query.sort] if query.sort == "id" else [query.sort, "id"]
    values.append(query.limit + 1)
    limit = f"LIMIT ${len(values)}"
    if query.offset:
        values.append(query.offset)
        limit += f" OFFSET ${len(values)}"
    branches = _branches(resource, query, values)
    texts = [
        f"SELECT {read} FROM {resource.table} t"
        + _where([*conditions, *branch])
        + f" ORDER BY {', '.join(f't.{c} {order}' for c in by)} {limit}"
        for branch in branches
    ]
    if len(texts) == 1:
        return Statement(texts[0], values)
    union = " UNION ALL ".join(f"({text})" for text in texts)
    order_by = ", ".join(f"u.{c} {order}" for c in by)
    return Statement(f"SELECT * FROM ({union}) u ORDER BY {order_by} {limit}", values)


def counting(
    resource: Resource,
    query: Query,
    within: str,
    values: list[Any],
    private: frozenset[str],
    most: int,
) -> Statement:
    """How many rows a list has, counted to `most`."""
    conditions = [within] if within else []
    conditions += [_condition(resource, c, values) for c in query.conditions]
    conditions += _search(resource, query, values, private)
    values.append(most)
    inner = f"SELECT FROM {resource.table} t{_where(conditions)} LIMIT ${len(values)}"
    return Statement(f"SELECT count(*) FROM ({inner}) u", values)


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _branches(resource: Resource, query: Query, values: list[Any]) -> list[list[str]]:
    """What comes after a row: one range of the index, or two where nulls follow."""
    after = query.after
    if after is None:
        return [[]]
    sign = "<" if query.descending else ">"
    values.append(after.id)
    row_id = f"${len(values)}::uuid"
    if query.sort == "id":
        return [[f"t.id {sign} {row_id}"]]
    field = resource.fields[query.sort]
    column = f"t.{query.sort}"
    if after.value is None:
        rest = [f"{column} IS NULL", f"t.id {sign} {row_id}"]
        return [rest, [f"{column} IS NOT NULL"]] if query.descending else [rest]
    values.append(after.value)
    here = f"${len(values)}::{field.sql_type}"
    rows = [f"({column}, t.id) {sign} ({here}, {row_id})"]
    if query.descending or not field.nullable:
        return [rows]
    return [rows, [f"{column} IS NULL"]]


def _condition(resource: Resource, condition: Condition, values: list[Any]) -> str:
    field, op, value = condition.field, condition.op, condition.value
    column = f"t.{field.name}"
    if op == "null":
        return f"{column} IS {'' if value else 'NOT '}NULL"
    values.append(value)
    at = f"${len(values)}"
    if op == "contains":
        return _contains(field, column, value, values)
    if op == "starts":
        values[-1] = f"{literal(value)}%"
        return f"{column} LIKE {at}::text"
    if op == "day":
        return (
            f"(SELECT (({column} AT TIME ZONE e.timezone) - e.day_starts_at::interval)"
            f"::date FROM public.events e WHERE e.id = {resource.event}) = {at}::date"
        )
    if op == "in":
        return f"{column} = ANY({at}::{field.sql_type}[])"
    if op == "nin":
        return f"({column} IS NULL OR {column} <> ALL({at}::{field.sql_type}[]))"
    if op == "ne":
        return f"{column} IS DISTINCT FROM {at}::{field.sql_type}"
    return f"{column} {_SIGNS[op]} {at}::{field.sql_type}"


def _contains(field: Field, column: str, value: Any, values: list[Any]) -> str:
    if field.kind in ("texts", "uuids"):
        values[-1] = [value]
        return f"{column} @> ${len(values)}::{field.sql_type}"
    values[-1] = f"%{literal(value)}%"
    return f"ops.fold({column}) LIKE ops.fold(${len(values)}::text)"


def _search(
    resource: Resource, query: Query, values: list[Any], private: frozenset[str]
) -> list[str]:
    """Each word stands somewhere; where a searched column is private, elsewhere."""
    if not query.words:
        return []
    found = []
    open_columns = [name for name in resource.search if name not in private]
    texts = [searched(resource)]
    if len(open_columns) < len(resource.search):
        # The whole text has the index; that the word is not in a private column must
        # be asked beside it.
        texts.append(searched(resource, open_columns))
    for word in query.words:
        if "@" in word[1:] and "email" in open_columns:
            # An address is known from its beginning: the key finds it at once, where
            # the trigrams of a million addresses look alike.
            values.append(f"{literal(word.lower())}%")
            found.append(f"t.email LIKE ${len(values)}::text")
        values.append(pattern(word))
        at = f"ops.sought(${len(values)}::text)"
        found += [f"{text} LIKE {at}" for text in texts]
    return found


def one(
    resource: Resource,
    names: Sequence[str],
    within: str,
    values: list[Any],
    *,
    lock: bool,
) -> str:
    """One row by its id, which is the last of the values."""
    conditions = [f"t.id = ${len(values)}", *([within] if within else [])]
    event = f", {resource.event} AS of_event" if resource.event else ""
    return (
        f"SELECT {columns(resource, names)}{event} FROM {resource.table} t"
        + _where(conditions)
        + (" FOR UPDATE OF t" if lock else "")
    )


def insert(resource: Resource, names: Sequence[str], shown: Sequence[str]) -> str:
    """Make a row of these columns; answers what is shown."""
    places = ", ".join(
        f"${at}::{resource.fields[name].sql_type}" for at, name in enumerate(names, 1)
    )
    return (
        f"INSERT INTO {resource.table} AS t ({', '.join(names)}) VALUES ({places})"
        f" RETURNING {columns(resource, shown)}"
    )


def update(resource: Resource, names: Sequence[str], shown: Sequence[str]) -> str:
    """Change these columns of the row $1."""
    sets = ", ".join(
        f"{name} = ${at}::{resource.fields[name].sql_type}"
        for at, name in enumerate(names, 2)
    )
    return (
        f"UPDATE {resource.table} t SET {sets} WHERE t.id = $1"
        f" RETURNING {columns(resource, shown)}"
    )


def delete(resource: Resource) -> str:
    """Delete the row $1."""
    return f"DELETE FROM {resource.table} t WHERE t.id = $1"


def history(resource: Resource) -> str:
    """The tables in which something points at the row $1, as one text array."""
    asked = [
        f"CASE WHEN EXISTS (SELECT FROM {table} x WHERE x.{column} = $1)"
        f" THEN '{table.removeprefix('public.')}' END"
        for table, column in resource.history
    ]
    return f"SELECT array_remove(ARRAY[{', '.join(asked)}]::text[], NULL)"


def labels(parts: Sequence[tuple[Resource, int, str]]) -> str:
    """What rows of several tables are called: each with the place of its ids in the
    values, and what the person may see of it."""
    return " UNION ALL ".join(
        f"SELECT t.id, {resource.label} AS label FROM {resource.table} t"
        + _where([f"t.id = ANY(${at}::uuid[])", *([within] if within else [])])
        for resource, at, within in parts
    )


def of_other_events(references: Sequence[tuple[str, str]]) -> str:
    """Which columns name a row of another event than $1; values $2.. are the ids."""
    asked = [
        f"CASE WHEN EXISTS (SELECT FROM {table} x WHERE x.id = ${at}::uuid"
        f" AND x.event_id IS DISTINCT FROM $1::uuid) THEN '{column}' END"
        for at, (column, table) in enumerate(references, 2)
    ]
    return f"SELECT array_remove(ARRAY[{', '.join(asked)}]::text[], NULL)"
