"""The errors of the program, one tree.

OpsError
    SettingsError           a bad setting: the start stops with one line
    StoreError              a store could not be asked
        StoreUnavailable    no answer or no connection: the outcome is unknown
        SchemaOutdated      the database is older than this program
    ApiError                an answer to a client, as problem+json
        MalformedBody 400, UnknownField 400, Unauthenticated 401, Forbidden 403,
        NotFound 404, Conflict 409, PreconditionFailed 412, TooLarge 413,
        Unprocessable 422, Locked 423,
        TooManyRequests 429, Unavailable 503

A refused scan is not an error: it is a `Verdict` (ops.admission.verdicts). The class
docstring is the default message; `code` is the stable word of the API.
"""

from __future__ import annotations

import inspect
from typing import ClassVar


class OpsError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.getdoc(type(self)) or type(self).__name__)


class SettingsError(OpsError):
    """A setting is wrong."""


class StoreError(OpsError):
    """A store could not be asked."""


class StoreUnavailable(StoreError):
    """The store did not answer in time: the outcome is unknown."""


class SchemaOutdated(StoreError):
    """The database schema is older than this program; run `ops db upgrade`."""


class FieldProblem:
    """One entry of `errors[]`: which field, which stable code, which sentence."""

    __slots__ = ("allowed", "code", "detail", "field")

    def __init__(
        self, field: str, code: str, detail: str, allowed: list[str] | None = None
    ) -> None:
        self.field, self.code, self.detail, self.allowed = field, code, detail, allowed

    def as_dict(self) -> dict[str, object]:
        """The JSON shape of the entry."""
        entry: dict[str, object] = {
            "field": self.field,
            "code": self.code,
            "detail": self.detail,
        }
        if self.allowed is not None:
            entry["allowed"] = self.allowed
        return entry


class ApiError(OpsError):
    """The request failed."""

    status: ClassVar[int] = 500
    code: str = "internal"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str | None = None,
        *,
        code: str | None = None,
        errors: list[FieldProblem] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        if code:
            self.code = code
        self.errors = errors or []
        self.headers = headers or {}

    @property
    def detail(self) -> str:
        """The sentence for the person who reads the answer."""
        return str(self)


class MalformedBody(ApiError):
    """The body could not be read."""

    status, code, title = 400, "malformed_body", "Bad request"


class UnknownField(ApiError):
    """The body has a field that this endpoint does not know."""

    status, code, title = 400, "unknown_field", "Bad request"


class Unauthenticated(ApiError):
    """Sign in or send a valid token."""

    status, code, title = 401, "unauthenticated", "Not signed in"


class Forbidden(ApiError):
    """Your role does not allow this."""

    status, code, title = 403, "forbidden", "Forbidden"


class NotFound(ApiError):
    """There is nothing here."""

    status, code, title = 404, "not_found", "Not found"


class Conflict(ApiError):
    """The request contradicts what is already there."""

    status, code, title = 409, "conflict", "Conflict"


class PreconditionFailed(ApiError):
    """Somebody changed it meanwhile; read it again."""

    status, code, title = 412, "changed_meanwhile", "Precondition failed"


class TooLarge(ApiError):
    """The request is too large."""

    status, code, title = 413, "too_large", "Too large"


class Unprocessable(ApiError):
    """The request was read, and a rule refuses it."""

    status, code, title = 422, "unprocessable", "Unprocessable"


class Locked(ApiError):
    """This device is locked; sign on with a PIN to use it again."""

    status, code, title = 423, "device_locked", "Locked"


class TooManyRequests(ApiError):
    """Too many requests; wait and try again."""

    status, code, title = 429, "too_many_requests", "Too many requests"


class Unavailable(ApiError):
    """A store is not reachable; try again in a moment."""

    status, code, title = 503, "unavailable", "Unavailable"
