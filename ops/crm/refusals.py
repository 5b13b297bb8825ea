"""What PostgreSQL refuses, told by field: the second line after `ops.crm.values`.

A race (two same addresses at once), a reference to nothing, a rule of two columns: only
the database knows. Its texts hold values of rows, so only names are taken from them.
"""

from __future__ import annotations

import asyncpg

from ops.crm.resource import Resource
from ops.errors import ApiError, Conflict, FieldProblem, Unprocessable


def refusal(error: asyncpg.PostgresError, resource: Resource) -> ApiError | None:
    """The answer to a refusal of PostgreSQL; None if it is no rule of the row."""
    state = str(getattr(error, "sqlstate", None) or "")
    fields = _fields(error, resource)
    if state == "23505":
        return Conflict(
            f"A row with this {' and '.join(fields)} exists already.",
            code="already_exists",
            errors=[
                FieldProblem(name, "already_exists", "This already exists.")
                for name in fields
            ],
        )
    if state == "23503":
        if "still referenced" in str(getattr(error, "detail", "") or ""):
            return Conflict("Other rows hang on it.", code="in_use")
        code, said = "unknown_reference", "This does not exist."
    elif state == "23502":
        code, said = "missing", "This field is required."
    elif state == "23514":
        code, said = "not_allowed", "This value is not allowed."
    elif state[:2] == "22" or state == "54000":
        code, said = "bad_value", "This value cannot be stored."
    else:
        return None
    problems = [
        FieldProblem(name, code, said, _allowed(resource, name)) for name in fields
    ]
    return Unprocessable(
        f"{' and '.join(fields)}: {said}" if fields else said, errors=problems
    )


def _fields(error: asyncpg.PostgresError, resource: Resource) -> tuple[str, ...]:
    """The columns that the error speaks of: those of its constraint, or its column."""
    name = str(getattr(error, "constraint_name", None) or "")
    if columns := resource.columns_of.get(name):
        return columns
    column = str(getattr(error, "column_name", None) or "")
    if column in resource.fields:
        return (column,)
    bare = resource.table.partition(".")[2]
    rule = name.removeprefix(f"ck_{bare}_")
    return (rule,) if rule else ()


def _allowed(resource: Resource, name: str) -> list[str] | None:
    field = resource.fields.get(name)
    if field is None or field.allowed is None:
        return None
    return list(field.allowed)
