"""What a refusal by the database means for a client, without its values."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from ops.errors import StoreUnavailable
from ops.http.problem import database_refusal, store_gone


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
