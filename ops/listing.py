"""Lists by keyset: a page, and a cursor that says where the next one begins.

A cursor is opaque to clients and holds the sort key of the last row shown; rows that
are added meanwhile neither repeat nor hide others, and page 1,000 costs what page 1
does. Fetch one row more than the limit: it tells whether there is a next page.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from ops.errors import FieldProblem, MalformedBody

LIMIT_DEFAULT = 50
LIMIT_MAX = 200
CURSOR_LENGTH_MAX = 200

T = TypeVar("T")

Limit = Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX)]
CursorText = Annotated[str | None, QueryParameter(max_length=CURSOR_LENGTH_MAX)]


class Page(msgspec.Struct, Generic[T]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None


class Position(msgspec.Struct, array_like=True, frozen=True):
    """The sort key of a row: an optional time, then the id."""

    id: UUID
    at: datetime | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Position).decode


def cursor_of(position: Position) -> str:
    """The text of a position."""
    return base64.urlsafe_b64encode(_encode(position)).decode().rstrip("=")


def position_of(cursor: str | None) -> Position | None:
    """The position that a client sent back.

    Raises:
        MalformedBody: not a cursor of ours.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return _decode(base64.b64decode(padded.encode(), altchars=b"-_", validate=True))
    except (msgspec.DecodeError, binascii.Error, UnicodeEncodeError):
        problem = FieldProblem("cursor", "bad_cursor", "Take it from next_cursor.")
        raise MalformedBody(
            "This cursor was not made here.", code="bad_cursor", errors=[problem]
        ) from None


def page(
    rows: Sequence[Any],
    limit: int,
    view: Callable[[Any], T],
    position: Callable[[Any], Position],
) -> Page[T]:
    """The page of at most `limit` of the rows; one row more means there is another."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(
        items=[view(row) for row in shown],
        next_cursor=cursor_of(position(shown[-1])) if more else None,
    )


def by_id(row: Any) -> Position:
    """The position of rows that are sorted by their id (time-ordered UUIDv7)."""
    return Position(row["id"])
