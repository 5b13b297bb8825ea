"""Files into rows of the CRM: mapping, preview, an answer for each bad row, upsert.

A row of the file whose key is there already changes that row, else it makes one; an
empty cell never clears what is there. Each row runs behind a savepoint through the same
code as the API (`ops.crm.records`): the same rules, hooks, roles and audit entries. A
preview does all of it and rolls it back, so it tells what would really happen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO, Final
from uuid import UUID

import msgspec

from ops.crm.changes import Actor, Connection
from ops.crm.columns import KEYS, LOOKUPS, Lookup, mapped, taken, value_of
from ops.crm.reach import reach_of
from ops.crm.records import Records, Row
from ops.crm.resource import Resource
from ops.crm.resources import BY_NAME
from ops.errors import ApiError, FieldProblem, Unprocessable
from ops.sheets.reading import Line, Table, Unreadable, open_table

CHUNK: Final = 200
"""Rows of a transaction."""
ROWS_MAX: Final = 50_000
"""Some minutes of one connection; a larger file comes in parts."""
PROBLEMS_MAX: Final = 1_000
SAMPLE: Final = 5
HEADERS_MAX: Final = 100


class ImportMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`columns`: header -> column; `key`: by what a row is one that is there; `fixed`:
    values for all rows, for example {"event_id": ".."}."""

    columns: dict[str, str] | None = None
    key: str | None = None
    fixed: dict[str, str] = {}


class ImportProblem(msgspec.Struct):
    """A row that was not taken: its line in the file, the column, why."""

    line: int
    field: str
    code: str
    detail: str


class ImportAnswer(msgspec.Struct, kw_only=True):
    """What an import did, or would do; `available` are the columns that a mapping may
    name.
    """

    dry_run: bool
    kind: str
    encoding: str
    header: list[str]
    columns: dict[str, str]
    ignored: list[str]
    available: list[str]
    key: str
    rows_total: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: int = 0
    problems: list[ImportProblem] = []
    sample: list[dict[str, Any]] = []


class _Undo(Exception):
    """Ends a preview's transaction."""


class Importing:
    """Runs imports; one row after the other, in transactions of 200."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def run(
        self,
        actor: Actor,
        resource: Resource,
        file: BinaryIO,
        mapping: ImportMapping,
        *,
        dry_run: bool,
    ) -> ImportAnswer:
        """Import a file, or tell what it would do.

        Raises:
            UnreadableFile: no table.
            Unprocessable: the mapping, or no column is known.
            Forbidden: the role.
        """
        reach_of(actor.staff, resource, "write")
        table = await asyncio.to_thread(open_table, file)
        columns = mapped(resource, table.header, mapping.columns)
        if not columns:
            raise _nothing_known(resource, table.header)
        key = _key(resource, mapping, columns)
        run = _Run(self._records, actor, resource, columns, key, mapping.fixed)
        run.answer = ImportAnswer(
            dry_run=dry_run,
            kind=table.kind,
            encoding=table.encoding,
            header=table.header,
            columns={table.header[at]: column for at, column in columns.items()},
            ignored=[h for at, h in enumerate(table.header) if at not in columns],
            available=sorted(taken(resource)),
            key=key,
        )
        async with self._records.connection() as db:
            if dry_run:
                await _rolled_back(db, run, table)
            else:
                while not run.full and (lines := await _next(table)):
                    async with db.transaction():
                        await run.chunk(db, lines)
        return run.answer


def _nothing_known(resource: Resource, header: list[str]) -> Unprocessable:
    """Which headers the file has, and which columns a mapping may name."""
    said, allowed = "No column of this file is known.", sorted(taken(resource))
    headers = [h for h in header if h.strip()][:HEADERS_MAX]
    problems = [FieldProblem(h, "unknown_header", said, allowed) for h in headers]
    return Unprocessable(said, code="no_columns", errors=problems)


async def _rolled_back(db: Connection, run: _Run, table: Table) -> None:
    try:
        async with db.transaction():
            while not run.full and (lines := await _next(table)):
                await run.chunk(db, lines)
            raise _Undo
    except _Undo:
        return


async def _next(table: Table) -> list[Line]:
    return await asyncio.to_thread(_take, table.rows)


def _take(rows: Iterator[Line]) -> list[Line]:
    return list(islice(rows, CHUNK))


def _key(resource: Resource, mapping: ImportMapping, columns: dict[int, str]) -> str:
    allowed = KEYS[resource.name]
    key = mapping.key or next((k for k in allowed if k in columns.values()), "")
    if mapping.key and mapping.key not in allowed:
        problem = FieldProblem("key", "not_allowed", "Not a key here.", [*allowed])
        raise Unprocessable(problem.detail, errors=[problem])
    return key


class _Run:
    answer: ImportAnswer

    def __init__(
        self,
        records: Records,
        actor: Actor,
        resource: Resource,
        columns: dict[int, str],
        key: str,
        fixed: dict[str, str],
    ) -> None:
        self._records, self._actor, self._resource = records, actor, resource
        self._columns, self._key, self._fixed = columns, key, fixed
        self._found: dict[tuple[str, str], UUID] = {}
        self.full = False

    async def chunk(self, db: Connection, lines: list[Line]) -> None:
        """Take the rows of one transaction."""
        for line in lines:
            if self.answer.rows_total == ROWS_MAX:
                said = f"The file has more than {ROWS_MAX:,} rows; bring it in parts."
                self._bad(line.line, "", "too_many_rows", said)
                self.full = True
                return
            self.answer.rows_total += 1
            if isinstance(line, Unreadable):
                self._bad(line.line, "", "unreadable", line.cause)
                continue
            try:
                async with db.transaction():
                    await self._row(db, line.cells)
            except ApiError as error:
                problems = error.errors or [FieldProblem("", error.code, error.detail)]
                self.answer.bad += 1
                for problem in problems:
                    self._note(line.line, problem.field, problem.code, problem.detail)

    async def _row(self, db: Connection, cells: list[str]) -> None:
        values = await self._values(db, cells)
        there = await self._there(db, values)
        row_id = values.pop("id", None)
        if len(self.answer.sample) < SAMPLE:
            self.answer.sample.append(dict(values))
        if there is None:
            if row_id is not None:
                _refuse("id", "unknown_reference", "There is no row with this id.")
            await self._records.create(db, self._actor, self._resource, values)
            self.answer.created += 1
            return
        open_fields = {f.name for f in self._resource.writable(creating=False)}
        changed = {
            name: value
            for name, value in values.items()
            if value is not None and name in open_fields and value != there.get(name)
        }
        if not changed:
            self.answer.unchanged += 1
            return
        await self._records.update(
            db, self._actor, self._resource, there["id"], changed
        )
        self.answer.changed += 1

    async def _values(self, db: Connection, cells: list[str]) -> Row:
        """The row as the API takes it; an empty cell is left out."""
        said = {column: cells[at] for at, column in self._columns.items()}
        values: Row = {}
        problems = []
        lookups = LOOKUPS.get(self._resource.name, {})
        for column, cell in {**self._fixed, **said}.items():
            field = self._resource.fields.get(column)
            try:
                if field is not None:
                    value = value_of(field, cell)
                    if value is not None:
                        values[column] = value
                elif column not in lookups:
                    _refuse(column, "not_allowed", "Not a column.")
            except ValueError as error:
                problems.append(FieldProblem(column, "bad_value", str(error)))
        if problems:
            raise Unprocessable(problems[0].detail, errors=problems)
        for column, lookup in lookups.items():
            text = said.get(column, "").strip()
            if text:
                values[lookup.column] = await self._look_up(
                    db, column, lookup, text, values.get("event_id")
                )
        for name in [f.name for f in self._resource.writable(creating=True)]:
            field = self._resource.fields[name]
            needed = not field.nullable and not field.has_default
            if needed and name not in values and not self._key_is_there(values):
                _refuse(name, "missing", "This field is required.")
        return values

    def _key_is_there(self, values: Row) -> bool:
        """A row that may be there needs no more than its key."""
        return bool(self._key) and values.get(self._key) is not None

    async def _there(self, db: Connection, values: Row) -> Row | None:
        key = "id" if values.get("id") is not None else self._key
        value = values.get(key)
        if not key or value is None:
            return None
        if key == "email":
            value = value.strip().lower()
        reach = reach_of(self._actor.staff, self._resource, "write")
        parts: list[Any] = [value]
        where = f"t.{key} = $1"
        if self._resource.event == "t.event_id" and values.get("event_id"):
            parts.append(values["event_id"])
            where += " AND t.event_id = $2"
        within = reach.condition(self._resource, parts)
        names = ", ".join(
            f"t.{f.name}" for f in self._resource.shown if f.kind != "address"
        )
        row = await db.fetchrow(
            f"SELECT {names} FROM {self._resource.table} t WHERE {where}"
            + (f" AND {within}" if within else "")
            + " ORDER BY t.id LIMIT 1",
            *parts,
        )
        return None if row is None else dict(row)

    async def _look_up(
        self, db: Connection, column: str, lookup: Lookup, text: str, event: Any
    ) -> UUID:
        """The id of the row that a cell names; made once where it may be."""
        memory = (column, f"{event}/{text.lower()}")
        if memory in self._found:
            return self._found[memory]
        target = BY_NAME[lookup.resource]
        parts: list[Any] = [text]
        where = f"lower(t.{lookup.by}) = lower($1)"
        if target.event == "t.event_id":
            parts.append(event)
            where += " AND t.event_id = $2::uuid"
        found: UUID | None = await db.fetchval(
            f"SELECT t.id FROM {target.table} t WHERE {where} ORDER BY t.id LIMIT 1",
            *parts,
        )
        if found is None and lookup.make:
            made = await self._records.create(
                db, self._actor, target, {lookup.by: text}
            )
            found = made["id"]
            # Not remembered: a bad row later in its savepoint takes it back.
            return found
        if found is None:
            _refuse(column, "unknown_reference", f"There is no {text[:80]!r}.")
        assert found is not None
        self._found[memory] = found
        return found

    def _bad(self, line: int, field: str, code: str, detail: str) -> None:
        self.answer.bad += 1
        self._note(line, field, code, detail)

    def _note(self, line: int, field: str, code: str, detail: str) -> None:
        if len(self.answer.problems) < PROBLEMS_MAX:
            self.answer.problems.append(ImportProblem(line, field, code, detail))


def _refuse(field: str, code: str, detail: str) -> None:
    raise Unprocessable(detail, errors=[FieldProblem(field, code, detail)])
