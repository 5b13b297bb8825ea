"""Rows of any resource: list, read, make, change, delete. One request, one transaction.

Queries: a list is one statement, two with labels; a read is one, two with labels; a
change is at most begin, the row, its history or references, the write, what hooks add,
commit. Every refusal of a rule is an `ApiError` with the field; 5xx is for stores that
are gone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

from ops.auth.subjects import Staff
from ops.crm import statements
from ops.crm.changes import Actor, Change, Connection, Hooks
from ops.crm.pool import CrmPool
from ops.crm.query import Query, cursor_of
from ops.crm.reach import Reach, reach_of
from ops.crm.refusals import refusal
from ops.crm.resource import Resource
from ops.crm.resources import BY_TABLE
from ops.crm.values import checked
from ops.errors import (
    Conflict,
    FieldProblem,
    Forbidden,
    NotFound,
    PreconditionFailed,
    Unavailable,
    Unprocessable,
)
from ops.ids import uuid7

Row = dict[str, Any]


class Records:
    """The generic implementation; `hooks` are filled by `ops.runtime`."""

    def __init__(self, pool: CrmPool, hooks: Hooks) -> None:
        self._pool, self.hooks = pool, hooks

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection of the CRM's, waited for a while.

        Raises:
            Unavailable: all are taken.
        """
        try:
            db = await self._pool.pool.acquire()
        except TimeoutError:
            raise Unavailable("Too many are at work here; try again.") from None
        try:
            yield db
        finally:
            await self._pool.pool.release(db)

    async def page(
        self, staff: Staff, resource: Resource, query: Query
    ) -> tuple[list[Row], str | None]:
        """One page of what the person may see, and the cursor of the next.

        Raises:
            Forbidden: nothing of it, or a private field is asked by.
        """
        reach = reach_of(staff, resource, "read")
        reach.refuse_private(set(query.named()) | set(query.fields))
        names = _shown(resource, reach, query.fields)
        values: list[Any] = []
        within = reach.condition(resource, values)
        statement = statements.listing(
            resource, query, names, within, values, reach.private
        )
        async with self.connection() as db:
            rows = await db.fetch(statement.sql, *statement.values)
            more = len(rows) > query.limit
            shown = rows[: query.limit]
            items = [_row(row, names) for row in shown]
            if query.labels:
                await self._label(db, staff, resource, items)
        return items, cursor_of(query, shown[-1]) if more else None

    async def count(
        self, staff: Staff, resource: Resource, query: Query, most: int
    ) -> int:
        """How many rows of a list the person may see, counted to `most`."""
        reach = reach_of(staff, resource, "read")
        reach.refuse_private(set(query.named()))
        values: list[Any] = []
        within = reach.condition(resource, values)
        statement = statements.counting(
            resource, query, within, values, reach.private, most
        )
        async with self.connection() as db:
            found: int = await db.fetchval(statement.sql, *statement.values)
        return found

    async def read(
        self, staff: Staff, resource: Resource, row_id: UUID, *, labels: bool = False
    ) -> Row:
        """One row, without what the person may not see.

        Raises:
            NotFound: it is not there, or not within the person's reach.
        """
        reach = reach_of(staff, resource, "read")
        names = _shown(resource, reach)
        async with self.connection() as db:
            row = await self._one(db, resource, reach, names, row_id, lock=False)
            item = _row(row, names)
            if labels:
                await self._label(db, staff, resource, [item])
        return item

    async def create(
        self, db: Connection, actor: Actor, resource: Resource, values: Row
    ) -> Row:
        """Make a row within a transaction of the caller's; returns it as shown.

        Raises:
            Forbidden, Unprocessable, Conflict: as the rules say.
        """
        _open(resource, "create")
        reach = reach_of(actor.staff, resource, "write")
        reach.refuse_private(set(values))
        _refuse(checked(resource.writable(creating=True), values))
        if resource.owner:
            values[resource.owner] = actor.staff.user_id
        event_id = await self._event_of(db, resource, values)
        _within(reach, resource, values, event_id)
        await self._same_event(db, resource, values, event_id)
        row_id = uuid7()
        if resource.event == "t.id":
            event_id = row_id
        change = Change(actor, resource, "create", row_id, values, event_id=event_id)
        await self.hooks.decide(db, change)
        names = ["id", *change.values]
        shown = [field.name for field in resource.shown]
        sql = statements.insert(resource, names, shown)
        try:
            row = await db.fetchrow(sql, row_id, *change.values.values())
        except asyncpg.PostgresError as error:
            raise refusal(error, resource) or error from None
        change.after = _row(row, shown)
        await self.hooks.tell(db, change)
        return _without(change.after, reach)

    async def update(
        self,
        db: Connection,
        actor: Actor,
        resource: Resource,
        row_id: UUID,
        values: Row,
        etags: Sequence[str] | None = None,
    ) -> Row:
        """Change a row within a transaction of the caller's; returns it as shown.

        Raises:
            NotFound, Forbidden, Unprocessable, Conflict: as the rules say.
            PreconditionFailed: somebody changed it since it was read.
        """
        _open(resource, "update")
        reach = reach_of(actor.staff, resource, "write")
        reach.refuse_private(set(values))
        _refuse(checked(resource.writable(creating=False), values))
        change = await self._locked(db, actor, resource, reach, row_id, etags, "update")
        reach.refuse_not_mine(resource, change.event_id, values)
        change.values = values
        event_id = values.get("event_id", change.event_id)
        if "event_id" in values or (resource.area or "").removeprefix("t.") in values:
            _within(reach, resource, {**(change.before or {}), **values}, event_id)
        await self._same_event(db, resource, values, event_id)
        return _without(await self._write(db, change), reach)

    async def delete(
        self,
        db: Connection,
        actor: Actor,
        resource: Resource,
        row_id: UUID,
        etags: Sequence[str] | None = None,
    ) -> bool:
        """Delete a row, or mark it where its table has a status; True: it is gone.

        Raises:
            Conflict: `has_history`, with the tables that hang on it.
            NotFound, Forbidden, PreconditionFailed: as in `update`.
        """
        _open(resource, "delete")
        reach = reach_of(actor.staff, resource, "delete")
        change = await self._locked(db, actor, resource, reach, row_id, etags, "delete")
        if resource.soft is not None:
            column, word = resource.soft
            if (change.before or {}).get(column) != word:
                change.values = {column: word}
                await self._write(db, change)
            return False
        if resource.history:
            held = await db.fetchval(statements.history(resource), row_id)
            if held:
                raise Conflict(
                    f"Rows of {', '.join(sorted(set(held)))} hang on it.",
                    code="has_history",
                    errors=[
                        FieldProblem(table, "has_history", "Has rows that name it.")
                        for table in sorted(set(held))
                    ],
                )
        await self.hooks.decide(db, change)
        try:
            await db.execute(statements.delete(resource), row_id)
        except asyncpg.PostgresError as error:
            raise refusal(error, resource) or error from None
        await self.hooks.tell(db, change)
        return True

    async def _locked(
        self,
        db: Connection,
        actor: Actor,
        resource: Resource,
        reach: Reach,
        row_id: UUID,
        etags: Sequence[str] | None,
        verb: Any,
    ) -> Change:
        """The row, held until the transaction ends, as the change begins."""
        names = [field.name for field in resource.shown]
        row = await self._one(db, resource, reach, names, row_id, lock=True)
        if etags is not None and row["etag"] not in etags:
            raise PreconditionFailed(headers={"ETag": f'"{row["etag"]}"'})
        return Change(
            actor,
            resource,
            verb,
            row_id,
            {},
            before=_row(row, names),
            event_id=row["of_event"] if resource.event else None,
        )

    async def _write(self, db: Connection, change: Change) -> Row:
        await self.hooks.decide(db, change)
        if not change.values:
            assert change.before is not None
            return change.before
        resource = change.resource
        shown = [field.name for field in resource.shown]
        sql = statements.update(resource, list(change.values), shown)
        try:
            row = await db.fetchrow(sql, change.id, *change.values.values())
        except asyncpg.PostgresError as error:
            raise refusal(error, resource) or error from None
        change.after = _row(row, shown)
        await self.hooks.tell(db, change)
        return change.after

    async def _one(
        self,
        db: Connection,
        resource: Resource,
        reach: Reach,
        names: Sequence[str],
        row_id: UUID,
        *,
        lock: bool,
    ) -> Any:
        values: list[Any] = []
        within = reach.condition(resource, values)
        values.append(row_id)
        sql = statements.one(resource, names, within, values, lock=lock)
        row = await db.fetchrow(sql, *values)
        if row is None:
            raise NotFound()
        return row

    async def _event_of(
        self, db: Connection, resource: Resource, values: Row
    ) -> UUID | None:
        if resource.parent is None:
            event_id: UUID | None = values.get("event_id")
            return event_id
        column, table, event = resource.parent
        parent = values.get(column)
        if parent is None:
            return None
        found: UUID | None = await db.fetchval(
            f"SELECT {event} FROM {table} p WHERE p.id = $1", parent
        )
        return found

    async def _same_event(
        self, db: Connection, resource: Resource, values: Row, event_id: UUID | None
    ) -> None:
        """Refuse a row that names something of another event."""
        if event_id is None:
            return
        references = [
            (name, field.references)
            for name, field in resource.fields.items()
            if field.references and values.get(name) is not None and name != "event_id"
            and _has_event(field.references)
        ]  # fmt: skip
        if not references:
            return
        wrong = await db.fetchval(
            statements.of_other_events(references),
            event_id,
            *(values[name] for name, _ in references),
        )
        # A row that is not there at all is told by its foreign key.
        said = "Belongs to another event."
        _refuse([FieldProblem(name, "other_event", said) for name in wrong])

    async def _label(
        self, db: Connection, staff: Staff, resource: Resource, items: Iterable[Row]
    ) -> None:
        """Add what the rows that are referred to are called: one statement."""
        rows = list(items)
        wanted: dict[str, set[UUID]] = {}
        columns = [f for f in resource.shown if f.references]
        for field in columns:
            ids = {row[field.name] for row in rows if row.get(field.name)}
            if ids:
                wanted.setdefault(_full(field.references or ""), set()).update(ids)
        parts: list[tuple[Resource, int, str]] = []
        values: list[Any] = []
        for table, ids in wanted.items():
            target = BY_TABLE.get(table)
            if target is None:
                continue
            try:
                reach = reach_of(staff, target, "read")
                within = reach.condition(target, values)
            except Forbidden:
                continue
            values.append(list(ids))
            parts.append((target, len(values), within))
        found: dict[UUID, str | None] = {}
        if parts:
            sql = statements.labels(parts)
            found = {row["id"]: row["label"] for row in await db.fetch(sql, *values)}
        for row in rows:
            row["labels"] = {
                f.name: found.get(row[f.name]) for f in columns if row.get(f.name)
            }


def _full(table: str) -> str:
    return table if "." in table else f"public.{table}"


def _has_event(table: str) -> bool:
    target = BY_TABLE.get(_full(table))
    return target is not None and target.event == "t.event_id"


def _shown(
    resource: Resource, reach: Reach, asked: Sequence[str] = ()
) -> tuple[str, ...]:
    names = asked or [field.name for field in resource.shown]
    return tuple(dict.fromkeys(["id", *(n for n in names if n not in reach.private)]))


def _row(row: Any, names: Sequence[str]) -> Row:
    item = {name: row[name] for name in names}
    item["etag"] = row["etag"]
    return item


def _without(row: Row, reach: Reach) -> Row:
    return {name: value for name, value in row.items() if name not in reach.private}


def _open(resource: Resource, verb: str) -> None:
    if said := resource.closed.get(verb):
        raise Conflict(said, code="by_its_own_acts")


def _refuse(problems: list[FieldProblem]) -> None:
    if problems:
        first = problems[0]
        raise Unprocessable(f"{first.field}: {first.detail}", errors=problems)


def _within(
    reach: Reach, resource: Resource, values: Row, event_id: UUID | None
) -> None:
    """Refuse to make a row where the person may not write.

    Raises:
        Forbidden: another event, another area, or the whole organisation's.
    """
    if reach.events is None or event_id in reach.events:
        return
    area = values.get((resource.area or "").removeprefix("t."))
    if area is not None and area in reach.areas:
        return
    raise Forbidden()
