"""One import from file to result: two passes, the second one writes.

The first pass reads the whole file: what each order costs and which ticket types are
new is known only at its end. The second decides and writes chunk by chunk. A dry run
decides and writes nothing: the preview is what the import would do.

Reading runs in a thread, so that a server that imports still answers. One import at a
time and event: an advisory lock, held by the connection, is gone with the process.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import tzinfo
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg
import msgspec

from ops.clock import Clock
from ops.errors import Conflict, NotFound, Unprocessable
from ops.ids import uuid7
from ops.imports import dialects, values
from ops.imports import statements as sql
from ops.imports.dialects import UNNAMED_SELLER, Columns, Field, MappingError
from ops.imports.plan import (
    Create,
    OrderSum,
    Unchanged,
    Update,
    category,
    decide,
)
from ops.imports.result import PROBLEMS_MAX, Mapping, Missing, Result
from ops.imports.rows import ImportRow, Problem, ReadCode, Rows, Settings
from ops.imports.writer import (
    Coder,
    Connection,
    Target,
    Writer,
    as_json,
    known_tickets,
)
from ops.sheets import reading
from ops.sheets.reading import Row, Table

CHUNK_ROWS = 500  # one transaction: few locks held, and a server that still answers
SAMPLE_ROWS = 20
_BLOCK_BYTES = 1 << 20
DATES_SEEN = 500  # rows from which the order of day and month is judged

Progress = Callable[[int, int], None]
"""Called with the rows done and the rows in all; both passes count."""


class _File:
    """A file that is read twice in the same way."""

    def __init__(
        self, file: BinaryIO, mapping: Mapping | None, zone: tzinfo, read: ReadCode
    ) -> None:
        self._file = file
        self._read = read
        table = reading.open_table(file)
        self.table = table
        self.columns = _columns(table, mapping)
        self._settings = Settings(zone, self._days_first(zone))

    def _days_first(self, zone: tzinfo) -> bool:
        fields = (Field.ORDER_DATE, Field.VALID_FROM, Field.VALID_TO)
        places = [self.columns.by_field.get(field) for field in fields]
        cells = [
            line.cells[place]
            for line in islice(reading.open_table(self._file).rows, DATES_SEEN)
            if isinstance(line, Row)
            for place in places
            if place is not None
        ]
        # Where the file does not show it, the event's part of the world decides.
        return values.day_first(cells, not str(zone).startswith("America/"))

    def pass_over(self) -> Iterator[ImportRow | Problem]:
        """All rows, from the first one."""
        rows = Rows(self.columns, self._settings, self._read)
        return rows.each(reading.open_table(self._file).rows)

    def digest(self) -> bytes:
        """SHA-256 of the file."""
        self._file.seek(0)
        digest = hashlib.sha256()
        while block := self._file.read(_BLOCK_BYTES):
            digest.update(block)
        return digest.digest()


def _columns(table: Table, mapping: Mapping | None) -> Columns:
    if mapping and mapping.columns:
        try:
            return dialects.mapped(table.header, mapping.columns, mapping.seller)
        except MappingError as error:
            raise Unprocessable(f"The mapping: {error}.", code="bad_mapping") from None
    known = dialects.recognise(table.header)
    if known:
        return known
    guess = dialects.suggest(table.header)
    if not {Field.CODE, Field.REF, Field.ORDER} & set(guess.by_field):
        raise Unprocessable(
            "No column of this file could be taken for a ticket code or number; say "
            "which is which in a mapping.",
            code="unknown_export",
        )
    seller = mapping.seller if mapping else UNNAMED_SELLER
    return msgspec.structs.replace(guess, seller=seller)


async def run_import(
    pool: asyncpg.Pool[asyncpg.Record],
    coder: Coder,
    event_ref: str,
    file: BinaryIO,
    file_name: str,
    *,
    mapping: Mapping | None = None,
    dry_run: bool = False,
    progress: Progress = lambda done, total: None,
    created_by: UUID | None = None,
    clock: Clock | None = None,
) -> Result:
    """Import a file into an event.

    Args:
        event_ref: id or slug of the event.
        file: seekable and open; it is read several times.
        mapping: for files that no dialect knows; None takes the best guess.

    Raises:
        NotFound: no such event.
        Conflict: `import_running`: another import of this event is under way.
        UnreadableFile: neither CSV nor XLSX.
        Unprocessable: `unknown_export`, `bad_mapping`.
    """
    clock = clock or Clock()
    async with pool.acquire() as connection:
        event = await connection.fetchrow(sql.EVENT, event_ref)
        if event is None:
            raise NotFound(f"There is no event {event_ref!r}.")
        zone = _zone(event["timezone"])
        source = await asyncio.to_thread(_File, file, mapping, zone, coder.read)
        async with _alone(connection, event["no"], dry_run):
            run = _Run(connection, event, source, coder, clock, dry_run, progress)
            return await run.recorded(file_name, mapping, created_by)


@asynccontextmanager
async def _alone(
    connection: Connection, event_no: int, dry_run: bool
) -> AsyncIterator[None]:
    if dry_run:
        yield
        return
    if not await connection.fetchval(sql.LOCK, event_no):
        raise Conflict("An import of this event is running.", code="import_running")
    try:
        yield
    finally:
        await connection.execute(sql.UNLOCK, event_no)


class _Run:
    """The passes of one import over one file."""

    def __init__(
        self,
        connection: Connection,
        event: asyncpg.Record,
        source: _File,
        coder: Coder,
        clock: Clock,
        dry_run: bool,
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._event = event
        self._source = source
        self._coder = coder
        self._clock = clock
        self._progress = progress
        table, columns = source.table, source.columns
        self._result = Result(
            run_id=None if dry_run else uuid7(),
            dry_run=dry_run,
            dialect=columns.dialect,
            seller=columns.seller,
            kind=table.kind,
            encoding=table.encoding,
            columns={
                str(field): table.header[place]
                for field, place in columns.by_field.items()
            },
            header=table.header,
        )
        self._sums: dict[str, OrderSum] = {}
        self._types: dict[str, ImportRow] = {}
        self._seen: set[UUID] = set()

    async def recorded(
        self, file_name: str, mapping: Mapping | None, created_by: UUID | None
    ) -> Result:
        """Run, with a row of `ops.import_runs` that tells how it ended."""
        if self._result.dry_run:
            return await self._both_passes()
        digest = await asyncio.to_thread(self._source.digest)
        await self._connection.execute(
            sql.START_RUN,
            self._result.run_id,
            self._event["id"],
            file_name,
            digest,
            as_json(mapping or Mapping()),
            created_by,
            self._clock.now(),
        )
        state = "failed"
        try:
            result = await self._both_passes()
            state = "done"
            return result
        finally:
            result = self._result
            await self._connection.execute(
                sql.FINISH_RUN,
                result.run_id,
                state,
                result.rows_total,
                result.created + result.changed + result.unchanged,
                result.bad,
                as_json(result.problems),
                self._clock.now(),
            )

    async def _both_passes(self) -> Result:
        await self._survey()
        types = await self._ensure_types()
        target = Target(
            event_id=self._event["id"],
            currency=self._event["currency"],
            types=types,
            sums=self._sums,
            keeps_windows=Field.VALID_FROM not in self._source.columns.by_field,
        )
        writer = Writer(self._connection, target, self._coder)
        standing = await self._connection.fetch(
            sql.STANDING, self._event["id"], self._source.columns.seller
        )
        async for chunk, done in self._chunks():
            await self._decide(chunk, writer)
            self._progress(self._result.rows_total + done, 2 * self._result.rows_total)
        self._list_missing(standing)
        self._result.order()
        return self._result

    async def _chunks(self) -> AsyncIterator[tuple[list[ImportRow | Problem], int]]:
        """The file in chunks, each read in a thread, with the rows given so far."""
        rows = self._source.pass_over()
        done = 0
        while chunk := await asyncio.to_thread(_take, rows):
            done += len(chunk)
            yield chunk, done

    async def _survey(self) -> None:
        """Learn what only the whole file tells."""
        result = self._result
        async for chunk, done in self._chunks():
            result.rows_total = done
            for row in chunk:
                if isinstance(row, Problem):
                    continue
                self._sums.setdefault(row.order_ref, OrderSum()).add(row)
                self._types.setdefault(row.ticket_type.casefold(), row)
                if len(result.sample) < SAMPLE_ROWS:
                    result.sample.append(_sample(row))
            self._progress(done, 2 * done)

    async def _ensure_types(self) -> dict[str, UUID]:
        """The event's ticket types by folded name, made where the file has new ones."""
        records = await self._connection.fetch(sql.TYPES, self._event["id"])
        types: dict[str, UUID] = {}
        for record in records:
            types.setdefault(record["name"].casefold(), record["id"])
        new = {name: row for name, row in self._types.items() if name not in types}
        self._result.types_created = [row.ticket_type for row in new.values()]
        made = [
            {
                "id": uuid7(),
                "event_id": self._event["id"],
                "name": row.ticket_type,
                "description": "Made by an import; check its category and its access.",
                "ticket_category": category(row.ticket_type),
                "price": row.price or 0,
                "currency": row.currency or self._event["currency"],
            }
            for row in new.values()
        ]
        if made and not self._result.dry_run:
            await self._connection.execute(sql.INSERT_TYPES, as_json(made))
        return types | {
            name: record["id"] for name, record in zip(new, made, strict=True)
        }

    async def _decide(self, chunk: list[ImportRow | Problem], writer: Writer) -> None:
        rows = [row for row in chunk if isinstance(row, ImportRow)]
        for problem in chunk:
            if isinstance(problem, Problem):
                self._result.add(problem)
        by_code, by_ref = await known_tickets(self._connection, self._event["id"], rows)
        written: list[Create | Update] = []
        for row in rows:
            code = by_code.get(row.code[1]) if row.code else None
            ref = by_ref.get(row.ref) if row.ref else None
            change = decide(row, code, ref)
            if isinstance(change, Problem):
                self._result.add(change)
                # It is in the file, whatever is wrong with it.
                self._seen |= {known.ticket_id for known in (code, ref) if known}
                continue
            for note in row.warnings:
                self._result.add(note)
            if isinstance(change, Create):
                self._result.created += 1
                written.append(change)
                continue
            self._seen.add(change.known.ticket_id)
            if isinstance(change, Unchanged):
                self._result.unchanged += 1
            else:
                self._result.changed += 1
                written.append(change)
        if not self._result.dry_run:
            await self._write(written, writer)

    async def _write(self, written: list[Create | Update], writer: Writer) -> None:
        refused = await writer.write(written, self._clock.now())
        lines = {problem.line for problem in refused}
        for change in written:
            if change.row.line in lines:
                if isinstance(change, Create):
                    self._result.created -= 1
                else:
                    self._result.changed -= 1
        for problem in refused:
            self._result.add(problem)

    def _list_missing(self, standing: list[asyncpg.Record]) -> None:
        """List the seller's tickets that stood before and are not in the file."""
        missing = [row for row in standing if row["id"] not in self._seen]
        self._result.missing_total = len(missing)
        self._result.missing = [
            Missing(row["id"], row["order_number"], row["holder"])
            for row in missing[:PROBLEMS_MAX]
        ]


def _take(rows: Iterator[ImportRow | Problem]) -> list[ImportRow | Problem]:
    return list(islice(rows, CHUNK_ROWS))


def _sample(row: ImportRow) -> dict[str, Any]:
    """A row as the preview shows it; of the code the hint only."""
    code = row.code[2] if row.code else None
    shown: dict[str, Any] = msgspec.to_builtins(
        msgspec.structs.replace(row, code=None, warnings=())
    )
    return shown | {"code": code}


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise Unprocessable(f"The event's time zone {name!r} is unknown.") from None


async def import_file(
    pool: asyncpg.Pool[asyncpg.Record],
    coder: Coder,
    event_ref: str,
    path: Path,
    mapping: Mapping | None = None,
    dry_run: bool = False,
    progress: Progress = lambda done, total: None,
) -> Result:
    """Import a file from the disk, for the command line; raises as `run_import`."""
    with path.open("rb") as file:
        return await run_import(
            pool,
            coder,
            event_ref,
            file,
            path.name,
            mapping=mapping,
            dry_run=dry_run,
            progress=progress,
        )
