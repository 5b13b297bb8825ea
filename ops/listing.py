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


Start = tuple[datetime | None, UUID | None]
"""Where a page begins, as a statement takes it: both null at the first row."""
FIRST: Start = (None, None)


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


def by_id(row: Any) -> Position:
    """The position of rows that are sorted by their id (time-ordered UUIDv7)."""
    return Position(row["id"])


def by_time(column: str) -> Callable[[Any], Position]:
    """The position of rows that are sorted by a time and then by their id."""
    return lambda row: Position(row["id"], row[column])


class Turn:
    """Which page a request asks for: a dependency of every list, `turn`.

    Properties raise MalformedBody where the cursor is not one of ours. A plain class:
    the framework would take a struct apart to check it.
    """

    __slots__ = ("cursor", "limit")

    def __init__(self, limit: int, cursor: str | None) -> None:
        self.limit, self.cursor = limit, cursor

    @property
    def after(self) -> Position | None:
        """Where the page begins; None: at the first row."""
        return position_of(self.cursor)

    @property
    def after_id(self) -> UUID | None:
        """The same in lists that are sorted by id alone."""
        after = self.after
        return after.id if after else None

    @property
    def start(self) -> Start:
        """The same as two parameters of a statement."""
        after = self.after
        return (after.at, after.id) if after else FIRST

    def page(
        self,
        rows: Sequence[Any],
        view: Callable[[Any], T],
        position: Callable[[Any], Position],
    ) -> Page[T]:
        """The page of these rows; one more than the limit means there is another."""
        shown = rows[: self.limit]
        more = len(rows) > self.limit
        return Page(
            items=[view(row) for row in shown],
            next_cursor=cursor_of(position(shown[-1])) if more else None,
        )


def turn_of(limit: Limit = LIMIT_DEFAULT, cursor: CursorText = None) -> Turn:
    """The dependency itself."""
    return Turn(limit, cursor)
