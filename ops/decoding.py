"""Reading JSON from outside: strict types, and an error that names the field.

Everything that a client sends is decoded here or by a decoder made once from the same
types. 400 means "not readable": malformed JSON, a wrong type, an unknown or missing
field. 422 means "readable, and refused": a NUL in a text (PostgreSQL has no NUL).
Of duplicate keys the last wins.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from ops.errors import FieldProblem, MalformedBody, UnknownField, Unprocessable

T = TypeVar("T")

_AT = re.compile(r" - at `(?:key in )?\$\.?(?P<path>.*)`$")
_NAMED = re.compile(r"(?P<what>unknown field|missing required field) `(?P<name>[^`]*)`")
NUL_ESCAPE = b"\\u0000"

UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
"""What decoding hostile bytes raises: also for depth, and for bytes that are not UTF-8
(msgspec lets that one through as it is)."""


@lru_cache(maxsize=512)
def decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """The strict decoder of a type, made once."""
    return msgspec.json.Decoder(kind)


def decode(kind: type[T], body: bytes) -> T:
    """Decode a body.

    Raises:
        MalformedBody: not JSON, nested too deeply, a wrong type, a missing field.
        UnknownField: a field that the type does not have.
        Unprocessable: a text with a NUL character.
    """
    try:
        value: T = decoder(cast(Hashable, kind)).decode(body)
    except UNREADABLE as error:
        raise refusal(error) from None
    if NUL_ESCAPE in body and (path := nul_path(value)) is not None:
        raise Unprocessable(
            "A text holds a NUL character.",
            code="nul_character",
            errors=[FieldProblem(path, "nul_character", "Remove the NUL character.")],
        )
    return value


def refusal(error: Exception) -> MalformedBody | UnknownField:
    """The answer to an error of msgspec: which field, which stable code."""
    if not isinstance(error, msgspec.ValidationError):
        if isinstance(error, RecursionError):
            return MalformedBody("The body is nested too deeply.")
        if isinstance(error, UnicodeDecodeError):
            return MalformedBody("The body is not UTF-8.")
        # The text of a DecodeError tells a byte position, never the content.
        return MalformedBody(f"The body could not be read as JSON: {error}")
    text = str(error)
    at = _AT.search(text)
    path = at["path"] if at else ""
    detail = text[: at.start()] if at else text
    if named := _NAMED.search(detail):
        field = f"{path}.{named['name']}" if path else named["name"]
        if named["what"] == "unknown field":
            return UnknownField(
                f"The field {field} is not known here.",
                errors=[FieldProblem(field, "unknown_field", "Not known here.")],
            )
        return MalformedBody(
            f"The field {field} is missing.",
            errors=[FieldProblem(field, "missing", "This field is required.")],
        )
    code = "wrong_type" if ", got `" in detail else "bad_value"
    return MalformedBody(
        f"{path or 'The body'}: {detail}.",
        errors=[FieldProblem(path, code, detail)],
    )


def nul_path(value: Any, path: str = "") -> str | None:
    """Where the first text with a NUL stands, as a dotted path; None if nowhere."""
    if isinstance(value, str):
        return path if "\x00" in value else None
    if isinstance(value, msgspec.Struct):
        value = {name: getattr(value, name) for name in value.__struct_fields__}
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str) and "\x00" in key:
                return path
            found = nul_path(item, f"{path}.{key}" if path else str(key))
            if found is not None:
                return found
    elif isinstance(value, (list, tuple)):
        for at, item in enumerate(value):
            if (found := nul_path(item, f"{path}[{at}]")) is not None:
                return found
    return None
