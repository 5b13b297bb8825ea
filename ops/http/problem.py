"""Every error as `application/problem+json`; a 500 says nothing of the inside.

`database_refusal` translates what PostgreSQL's constraints refuse, so that a rule
that stands in the schema needs no second copy in Python.
"""

from __future__ import annotations

import http
import re
from typing import Any

import asyncpg
import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from ops import log
from ops.decoding import refusal
from ops.errors import (
    ApiError,
    Conflict,
    FieldProblem,
    MalformedBody,
    StoreError,
    Unprocessable,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
"""A store that is gone is tried again by itself; clients wait this long."""

_KEY = re.compile(r"Key \(([a-z_, ]+)\)=")

_logger = log.get(__name__)
_encode = msgspec.json.Encoder().encode

# Classes of SQLSTATE that say "not now": connection, rollback (deadlock,
# serialization), resources, operator intervention, system error.
_GONE_CLASSES = ("08", "40", "53", "57", "58")
_READ_ONLY = "25006"
"""A server that is a standby just now: a failover is under way."""
_GONE = "client disconnected prematurely"
"""The framework's words for a body that was not sent to its end."""
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


def document(
    status: int,
    code: str,
    detail: str,
    title: str | None = None,
    errors: list[FieldProblem] | None = None,
) -> dict[str, Any]:
    """The JSON document of an error."""
    return {
        "type": f"urn:ops:problem:{code}",
        "title": title or http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": [problem.as_dict() for problem in errors or ()],
    }


def _response(
    body: dict[str, Any], headers: dict[str, str] | None = None
) -> Response[bytes]:
    return Response(
        _encode(body),
        status_code=body["status"],
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def _of_api_error(error: ApiError) -> Response[bytes]:
    return _response(
        document(error.status, error.code, error.detail, error.title, error.errors),
        error.headers,
    )


def store_gone(error: BaseException) -> bool:
    """Whether an error says that a store cannot be reached now, so: try again."""
    if isinstance(error, StoreError):
        return True
    if isinstance(error, asyncpg.PostgresError):
        state = getattr(error, "sqlstate", None) or ""
        return state[:2] in _GONE_CLASSES or state == _READ_ONLY
    if isinstance(error, asyncpg.InterfaceError):
        # The same class stands for our own mistakes; only its words tell.
        return "clos" in str(error)
    return isinstance(error, (OSError, TimeoutError))


def _root(error: BaseException) -> BaseException:
    """The driver's error inside an SQLAlchemy one (`orig`), else the error itself.

    By its attribute: importing SQLAlchemy costs each api process half a second.
    """
    inner: object = getattr(error, "orig", None)
    if not isinstance(inner, BaseException):
        return error
    while inner.__cause__ is not None:
        inner = inner.__cause__
    return inner


def _field_of(error: asyncpg.PostgresError) -> str:
    """The field that a constraint is about: its column, else the constraint's name."""
    column: str | None = getattr(error, "column_name", None)
    if column:
        return column
    # "Key (email)=(x@example.org) already exists." - only the names, never the values.
    if key := _KEY.match(getattr(error, "detail", None) or ""):
        return key[1].replace("event_id, ", "")
    name: str = getattr(error, "constraint_name", None) or ""
    table: str = getattr(error, "table_name", None) or ""
    for prefix in ("ck_", "uq_", "fk_", "ix_"):
        name = name.removeprefix(prefix)
    name = name.removeprefix(f"{table}_")
    for suffix in ("_check", "_key", "_fkey"):
        name = name.removesuffix(suffix)
    return name


def database_refusal(error: BaseException) -> ApiError | None:
    """What a refusal by PostgreSQL means for the client; None if it is our fault.

    The text of a database error may hold personal data: only names of columns and
    constraints are taken from it.
    """
    error = _root(error)
    if not isinstance(error, asyncpg.PostgresError):
        return None
    state = getattr(error, "sqlstate", None) or ""
    field = _field_of(error)
    if state in ("23505", "23P01"):
        problem = FieldProblem(field, "already_exists", "This already exists.")
        return Conflict(
            f"{field} already exists.", code="already_exists", errors=[problem]
        )
    if state == "23503":
        problem = FieldProblem(field, "unknown_reference", "This does not exist.")
    elif state == "23502":
        problem = FieldProblem(field, "missing", "This field is required.")
    elif state == "23514":
        problem = FieldProblem(field, "not_allowed", "This value is not allowed.")
    elif state[:2] == "22":
        problem = FieldProblem(field, "bad_value", "This value cannot be stored.")
    else:
        return None
    return Unprocessable(
        f"{field or 'A value'} was refused by the database.", errors=[problem]
    )


def on_api_error(_: Request[Any, Any, Any], error: ApiError) -> Response[bytes]:
    """An error that the program raised on purpose."""
    return _of_api_error(error)


def on_http_exception(
    _: Request[Any, Any, Any], error: HTTPException
) -> Response[bytes]:
    """An error of the framework: no route, wrong method, too large, bad parameter."""
    status = error.status_code
    cause = error.__cause__
    if isinstance(cause, RecursionError):
        return _of_api_error(refusal(cause))
    if status >= 500 and error.detail == _GONE:
        # A device that ran out of patience, or of network. Nobody reads an answer, and
        # tracebacks in the log would be the busiest thing of such a minute.
        return _of_api_error(MalformedBody("The body did not come to its end."))
    if status >= 500:
        return _internal(error)
    errors = []
    extra = getattr(error, "extra", None)
    if isinstance(extra, list):
        errors = [
            FieldProblem(
                str(entry.get("key", "")),
                "bad_value",
                str(entry.get("message", "")),
            )
            for entry in extra
            if isinstance(entry, dict)
        ]
    if status == 400 and any(problem.field == "data" for problem in errors):
        return _of_api_error(MalformedBody("A JSON body is missing."))
    code = _CODES.get(status, "bad_request")
    if status == 400 and errors:
        code = "bad_parameter"
    detail = {
        404: "There is nothing here.",
        405: "This address does not know that method.",
        413: "The body is too large.",
    }.get(status, "A parameter is missing or wrong." if errors else error.detail)
    headers = {k: v for k, v in (error.headers or {}).items() if k.lower() == "allow"}
    return _response(document(status, code, detail, errors=errors), headers)


def on_exception(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Anything else: a store that is gone, a refusal by the database, or a fault."""
    if store_gone(_root(error)):
        _logger.warning("store_unavailable", error=log.scrubbed(_root(error)))
        return _response(
            document(503, "unavailable", "A store is not reachable; try again."),
            {"Retry-After": str(RETRY_AFTER_S)},
        )
    if isinstance(_root(error), asyncpg.PostgresError):
        refused = database_refusal(error)
        if refused is not None:
            return _of_api_error(refused)
    if isinstance(error, UnicodeEncodeError):
        return _response(
            document(422, "bad_value", "A text holds characters that cannot be stored.")
        )
    return _internal(error)


def _internal(error: Exception) -> Response[bytes]:
    # The traceback's text is kept out for database errors: they carry arguments.
    scrub = isinstance(_root(error), asyncpg.PostgresError)
    _logger.error(
        "request_failed", error=log.scrubbed(error), exc_info=None if scrub else error
    )
    return _response(
        document(500, "internal", "Something went wrong; it has been logged.")
    )


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    ApiError: on_api_error,
    HTTPException: on_http_exception,
    Exception: on_exception,
}
