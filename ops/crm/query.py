"""What a client asks of a list: filters, order, fields, search, the next page. Pure.

    ?status=active&lead_score[gte]=50&q=zoe%20brien&sort=-lead_score&fields=id,email

A filter is `column=value` or `column[op]=value`; several hold together. Operators: eq
ne lt lte gt gte, in nin (a list with commas), null (true, false), contains (a part of a
text in any case, an entry of a list), starts, and day (a local day of the event's zone,
from `day_starts_at` on). The page goes on after the last row's sort value and id.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal, cast
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec

from ops.crm.fields import Field, Kind
from ops.crm.resource import Resource
from ops.crm.values import EARLIEST, LATEST
from ops.errors import FieldProblem, MalformedBody
from ops.listing import LIMIT_DEFAULT, LIMIT_MAX

Op = Literal[
    "eq", "ne", "lt", "lte", "gt", "gte", "in", "nin", "null", "contains", "starts",
    "day",
]  # fmt: skip
PARAMETERS_MAX = 40
CURSOR_LENGTH_MAX = 4_000
"""A text that is sorted by has 320 characters at most, each up to six bytes here."""
VALUES_MAX = 200
SEARCH_LENGTH_MAX = 200
WORDS_MAX = 8
_ORDERED: Final = frozenset({"lt", "lte", "gt", "gte"})
_LISTED: Final = frozenset({"in", "nin"})
_OPS_BY_KIND: Final[dict[Kind, frozenset[str]]] = {
    "text": frozenset({"eq", "ne", "in", "nin", "contains", "starts", "null"}),
    "integer": frozenset({"eq", "ne", "in", "nin", "null"}) | _ORDERED,
    "decimal": frozenset({"eq", "ne", "in", "nin", "null"}) | _ORDERED,
    "boolean": frozenset({"eq", "ne", "null"}),
    "uuid": frozenset({"eq", "ne", "in", "nin", "null"}),
    "timestamp": frozenset({"null", "day"}) | _ORDERED,
    "date": frozenset({"eq", "ne", "null"}) | _ORDERED,
    "time": frozenset({"eq", "ne", "null"}) | _ORDERED,
    "texts": frozenset({"contains", "null"}),
    "uuids": frozenset({"contains", "null"}),
    "json": frozenset({"null"}),
    "objects": frozenset({"null"}),
    "address": frozenset({"eq", "null"}),
    "bytes": frozenset(),
}
_ELEMENT: Final[dict[Kind, Any]] = {"texts": str, "uuids": UUID}


class Condition(msgspec.Struct, frozen=True):
    """One filter; `value` has the column's type, a list for in and nin."""

    field: Field
    op: Op
    value: Any


class After(msgspec.Struct, frozen=True):
    """The last row of the page before: its sort value and id."""

    value: Any
    id: UUID


class Query(msgspec.Struct, frozen=True):
    """What is asked of a list; `offset` is for the table admin alone."""

    conditions: tuple[Condition, ...] = ()
    words: tuple[str, ...] = ()
    sort: str = "created_at"
    descending: bool = True
    fields: tuple[str, ...] = ()
    after: After | None = None
    limit: int = LIMIT_DEFAULT
    labels: bool = False
    offset: int = 0

    def named(self) -> frozenset[str]:
        """The columns whose values it would tell: filtered, sorted by."""
        return frozenset({*(c.field.name for c in self.conditions), self.sort})


class _Cursor(msgspec.Struct, array_like=True, frozen=True):
    sort: str
    value: Any
    id: UUID


_cursor_decode = msgspec.json.Decoder(_Cursor).decode
_encode = msgspec.json.Encoder().encode


def ops_of(field: Field) -> list[str]:
    """The operators that a column knows, sorted."""
    return sorted(_OPS_BY_KIND[field.kind])


def read(resource: Resource, text: bytes, *, limit_max: int = LIMIT_MAX) -> Query:
    """Read the query part of an address.

    Raises:
        MalformedBody: 400 `bad_parameter`, every wrong parameter named.
    """
    try:
        pairs = parse_qsl(
            text.decode("latin-1"), keep_blank_values=True, max_num_fields=60
        )
    except ValueError:
        raise _bad(
            [FieldProblem("query", "too_long", "Too many parameters.")]
        ) from None
    problems: list[FieldProblem] = []
    conditions: list[Condition] = []
    plain: dict[str, str] = {}
    for name, value in pairs:
        if name != "cursor" and "\x00" in value + name:
            problems.append(FieldProblem("query", "nul_character", "Remove the NUL."))
        elif name in ("q", "sort", "fields", "cursor", "limit", "labels"):
            plain[name] = value
        else:
            try:
                conditions.append(_condition(resource, name, value))
            except _Wrong as wrong:
                problems.append(wrong.problem)
    if len(conditions) > PARAMETERS_MAX:
        problems.append(FieldProblem("query", "too_long", "Too many filters."))
    try:
        query = _with_plain(resource, tuple(conditions), plain, limit_max)
    except _Wrong as wrong:
        problems.append(wrong.problem)
        query = Query()
    if problems:
        raise _bad(problems)
    return query


class _Wrong(Exception):
    def __init__(
        self, field: str, said: str, allowed: Sequence[str] | None = None
    ) -> None:
        self.problem = FieldProblem(
            field[:100], "bad_parameter", said, None if allowed is None else [*allowed]
        )


def _bad(problems: list[FieldProblem]) -> MalformedBody:
    cursor = all(problem.field == "cursor" for problem in problems)
    return MalformedBody(
        "A parameter is missing or wrong.",
        code="bad_cursor" if cursor else "bad_parameter",
        errors=problems,
    )


def _condition(resource: Resource, name: str, value: str) -> Condition:
    column, bracket, op = name.partition("[")
    op = op.removesuffix("]") if bracket else "eq"
    field = resource.fields.get(column)
    if field is None or column in resource.hidden:
        raise _Wrong(name, "No such filter.", [f.name for f in resource.shown])
    if op not in _OPS_BY_KIND[field.kind] or (op == "day" and not resource.event):
        raise _Wrong(name, "Not an operator of this column.", ops_of(field))
    return Condition(field, cast(Op, op), _value(field, op, name, value))


def _value(field: Field, op: str, name: str, text: str) -> Any:
    if op == "null":
        return _converted(bool, name, text)
    if op in _LISTED:
        parts = text.split(",")
        if len(parts) > VALUES_MAX:
            raise _Wrong(name, f"At most {VALUES_MAX} values.")
        return [_typed(field, name, part) for part in parts]
    if op == "day":
        return _converted(date, name, text)
    if op == "contains":
        return _converted(_ELEMENT.get(field.kind, str), name, text)
    return _typed(field, name, text)


def _typed(field: Field, name: str, text: str) -> Any:
    value = _converted(field.python, name, text)
    if field.kind == "timestamp" and not (
        value.tzinfo and EARLIEST.year < value.year < LATEST.year
    ):
        raise _Wrong(name, "A time with its zone, between 1900 and 2200.")
    if field.kind == "decimal" and not value.is_finite():
        raise _Wrong(name, "A finite number is needed.")
    if field.kind == "integer" and not -(2**63) <= value < 2**63:
        raise _Wrong(name, "Too large a number.")
    if field.allowed is not None and value not in field.allowed:
        raise _Wrong(name, "Not one of the words of this column.", field.allowed)
    return value


def _converted(kind: Any, name: str, text: str) -> Any:
    try:
        return msgspec.convert(text, kind, strict=False)
    except (msgspec.ValidationError, OverflowError):
        raise _Wrong(name, f"Not a {getattr(kind, '__name__', 'value')}.") from None


def _with_plain(
    resource: Resource,
    conditions: tuple[Condition, ...],
    plain: dict[str, str],
    limit_max: int,
) -> Query:
    sort = plain.get("sort", resource.sort)
    column = sort.lstrip("-")
    if column not in (*resource.sorts, "id") or sort not in (column, f"-{column}"):
        raise _Wrong("sort", "Not an order of this list.", [*resource.sorts, "id"])
    names = tuple(name for name in plain.get("fields", "").split(",") if name)
    shown = [field.name for field in resource.shown]
    if any(name not in shown for name in names):
        raise _Wrong("fields", "A field that is not there.", shown)
    limit = _converted(int, "limit", plain.get("limit", str(LIMIT_DEFAULT)))
    if not 1 <= limit <= limit_max:
        raise _Wrong("limit", f"From 1 to {limit_max}.")
    return Query(
        conditions=conditions,
        words=_words(resource, plain.get("q", "")),
        sort=column,
        descending=sort.startswith("-"),
        fields=names,
        after=_after(resource, sort, plain.get("cursor")),
        limit=limit,
        labels=_converted(bool, "labels", plain.get("labels", "false")),
    )


def _words(resource: Resource, text: str) -> tuple[str, ...]:
    if not text.strip():
        return ()
    if not resource.search:
        raise _Wrong("q", "This list has no search; use its filters.")
    words = text.split()
    if len(text) > SEARCH_LENGTH_MAX or len(words) > WORDS_MAX:
        raise _Wrong("q", f"At most {WORDS_MAX} words.")
    return tuple(words)


def cursor_of(query: Query, row: Any) -> str:
    """The cursor that goes on after this row."""
    sort = ("-" if query.descending else "") + query.sort
    text = _encode(_Cursor(sort, row[query.sort], row["id"]))
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _after(resource: Resource, sort: str, text: str | None) -> After | None:
    if text is None:
        return None
    wrong = _Wrong("cursor", "Take it from next_cursor, with the same order.")
    try:
        if len(text) > CURSOR_LENGTH_MAX:
            raise wrong
        padded = (text + "=" * (-len(text) % 4)).encode()
        cursor = _cursor_decode(base64.b64decode(padded, altchars=b"-_", validate=True))
        kind = resource.fields[sort.lstrip("-")].python
        value = cursor.value
        if value is not None:
            value = msgspec.convert(value, kind, strict=False)
    except (msgspec.DecodeError, binascii.Error, UnicodeError, RecursionError):
        raise wrong from None
    if cursor.sort != sort or not _storable(value):
        raise wrong
    return After(value, cursor.id)


def _storable(value: Any) -> bool:
    """Whether PostgreSQL can be asked with the value of a cursor that may be forged."""
    if isinstance(value, datetime):
        return bool(value.tzinfo) and EARLIEST.year < value.year < LATEST.year
    if isinstance(value, Decimal):
        return value.is_finite()
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return not (isinstance(value, str) and "\x00" in value)
