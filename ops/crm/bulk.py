"""Up to 1,000 changes in one request, an answer for each; a bad one stops no other.

Each change is decoded by itself and runs behind a savepoint; 100 share a transaction,
so that a row is held for milliseconds and not for the whole request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from ops.crm.changes import Actor, Connection
from ops.crm.records import Records
from ops.crm.resource import Resource
from ops.crm.shapes import Shapes, plain
from ops.decoding import UNREADABLE, decode, refusal
from ops.errors import ApiError, MalformedBody, TooLarge

ROWS_MAX: Final = 1_000
SHARED: Final = 100
"""Changes in one transaction."""


class Problem(msgspec.Struct):
    """Why a row was refused, as in a problem document."""

    status: int
    code: str
    detail: str
    errors: list[dict[str, Any]]


class BulkOperation(msgspec.Struct, forbid_unknown_fields=True):
    """One change: create with `data`, update with `id` and `data`, delete with `id`."""

    op: Literal["create", "update", "delete"] = "create"
    id: UUID | None = None
    if_match: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


class BulkBody(msgspec.Struct, forbid_unknown_fields=True):
    """The changes, done in this order."""

    operations: Annotated[list[Any], Meta(min_length=1)]


class _Bulk(msgspec.Struct, forbid_unknown_fields=True):
    operations: list[msgspec.Raw]


class BulkResult(msgspec.Struct, omit_defaults=True):
    """What came of one change: `status` as if it had come alone."""

    index: int
    status: int
    id: UUID | None = None
    item: dict[str, Any] | None = None
    error: Problem | None = None


class BulkAnswer(msgspec.Struct):
    """One result for each change, in order."""

    done: int
    failed: int
    results: list[BulkResult]


class Bulk:
    """Runs the changes of one request."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def run(
        self, actor: Actor, resource: Resource, shapes: Shapes, body: bytes
    ) -> BulkAnswer:
        """Do what can be done; each change has its own answer.

        Raises:
            MalformedBody: the body as a whole is unreadable.
            TooLarge: more than 1,000 changes.
        """
        changes = decode(_Bulk, body).operations
        if not changes:
            raise MalformedBody("There is no operation in it.", code="empty")
        if len(changes) > ROWS_MAX:
            raise TooLarge(f"At most {ROWS_MAX} operations.", code="too_many_rows")
        results: list[BulkResult] = []
        async with self._records.connection() as db:
            for at in range(0, len(changes), SHARED):
                part = changes[at : at + SHARED]
                async with db.transaction():
                    results += await self._share(db, actor, resource, shapes, part, at)
        failed = sum(result.error is not None for result in results)
        return BulkAnswer(len(results) - failed, failed, results)

    async def _share(
        self,
        db: Connection,
        actor: Actor,
        resource: Resource,
        shapes: Shapes,
        raws: Sequence[msgspec.Raw],
        first: int,
    ) -> list[BulkResult]:
        results = []
        for index, raw in enumerate(raws, first):
            try:
                async with db.transaction():
                    result = await self._one(db, actor, resource, shapes, bytes(raw))
                result.index = index
            except ApiError as error:
                result = BulkResult(index, error.status, error=_problem(error))
            results.append(result)
        return results

    async def _one(
        self,
        db: Connection,
        actor: Actor,
        resource: Resource,
        shapes: Shapes,
        raw: bytes,
    ) -> BulkResult:
        try:
            change = decode(BulkOperation, raw)
        except UNREADABLE as error:
            raise refusal(error) from None
        etags = None if change.if_match is None else [change.if_match.strip('"')]
        if change.op == "create":
            values = plain(decode(shapes.create, bytes(change.data)))
            item = await self._records.create(db, actor, resource, values)
            return BulkResult(0, 201, item["id"], item)
        if change.id is None:
            raise MalformedBody("The field id is missing.", code="malformed_body")
        if change.op == "update":
            values = plain(decode(shapes.patch, bytes(change.data)))
            item = await self._records.update(
                db, actor, resource, change.id, values, etags
            )
            return BulkResult(0, 200, change.id, item)
        await self._records.delete(db, actor, resource, change.id, etags)
        return BulkResult(0, 200, change.id)


def _problem(error: ApiError) -> Problem:
    errors = [problem.as_dict() for problem in error.errors]
    return Problem(error.status, error.code, error.detail, errors)
