"""What a refusal by the database means for a client, without its values."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from litestar import Litestar, post
from litestar.params import JSONBody

from ops.errors import StoreUnavailable
from ops.http.problem import EXCEPTION_HANDLERS, database_refusal, store_gone


def _error(kind: type[asyncpg.PostgresError], **fields: str) -> Any:
    error = kind("text with o'brien@example.org in it")
    for name, value in fields.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    ("error", "status", "field"),
    [
        (
            _error(
                asyncpg.CheckViolationError,
                table_name="tickets",
                constraint_name="ck_tickets_state",
            ),
            422,
            "state",
        ),
        (
            _error(
                asyncpg.UniqueViolationError,
                table_name="users",
                constraint_name="uq_users_email",
                detail="Key (email)=(o'brien@example.org) already exists.",
            ),
            409,
            "email",
        ),
        (
            _error(
                asyncpg.ForeignKeyViolationError,
                table_name="orders",
                constraint_name="fk_orders_contact_id_contacts",
                detail='Key (contact_id)=(0193) is not present in table "contacts".',
            ),
            422,
            "contact_id",
        ),
        (_error(asyncpg.NotNullViolationError, column_name="title"), 422, "title"),
        (_error(asyncpg.CharacterNotInRepertoireError), 422, ""),
    ],
)
def test_a_constraint_becomes_a_field(error: Any, status: int, field: str) -> None:
    refused = database_refusal(error)
    assert refused is not None
    assert refused.status == status
    assert refused.errors[0].field == field
    assert "example.org" not in refused.detail + str(refused.errors[0].as_dict())


def test_a_fault_of_ours_is_no_refusal() -> None:
    assert database_refusal(_error(asyncpg.UndefinedTableError)) is None
    assert database_refusal(ValueError("x")) is None


@pytest.mark.parametrize(
    ("error", "gone"),
    [
        (StoreUnavailable("cache"), True),
        (ConnectionRefusedError(), True),
        (FileNotFoundError("no socket"), True),
        (TimeoutError(), True),
        (asyncpg.ConnectionDoesNotExistError("x"), True),
        (asyncpg.TooManyConnectionsError("x"), True),
        (asyncpg.QueryCanceledError("x"), True),
        (asyncpg.DeadlockDetectedError("x"), True),
        (asyncpg.ReadOnlySQLTransactionError("x"), True),
        (asyncpg.InterfaceError("pool is closed"), True),
        (asyncpg.InterfaceError("the server expects 1 argument"), False),
        (asyncpg.UndefinedTableError("x"), False),
        (asyncpg.UniqueViolationError("x"), False),
        (ValueError("x"), False),
    ],
)
def test_a_store_that_is_gone_is_told_from_a_mistake(error: Any, gone: bool) -> None:
    assert store_gone(error) is gone


@post("/", status_code=200)
async def _take(data: JSONBody[dict[str, int]]) -> dict[str, int]:
    return data


async def test_a_client_that_leaves_amid_its_words_is_no_error_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def internal(error: Exception) -> Any:
        raise AssertionError(error)

    monkeypatch.setattr("ops.http.problem._internal", internal)
    app = Litestar([_take], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None)
    events = [
        {"type": "http.request", "body": b'{"a":', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return events.pop(0)

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", b"20"),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    await app(scope, receive, send)  # type: ignore[arg-type]  # a scope by hand
    assert sent[0]["status"] == 400
