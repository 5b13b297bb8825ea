"""Cursors of lists that are sorted by more than a time and an id."""

from __future__ import annotations

import base64
import binascii
from typing import Any, TypeVar

import msgspec

from ops.errors import FieldProblem, MalformedBody

T = TypeVar("T")
_encode = msgspec.json.Encoder(enc_hook=str).encode


def cursor_of(values: Any) -> str:
    """The text of a sort key; opaque to clients."""
    return base64.urlsafe_b64encode(_encode(values)).decode().rstrip("=")


def values_of(cursor: str | None, kind: type[T]) -> T | None:
    """The sort key that a client sent back.

    Raises:
        MalformedBody: not a cursor of this list.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded.encode(), altchars=b"-_", validate=True)
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, binascii.Error, UnicodeError):
        problem = FieldProblem("cursor", "bad_cursor", "Take it from next_cursor.")
        raise MalformedBody(
            "This cursor was not made here.", code="bad_cursor", errors=[problem]
        ) from None
