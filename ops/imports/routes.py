"""POST /events/{id}/imports/preview and /imports: a file as the body, or as a form.

The body is the file itself (`?file_name=`, `?mapping=` as JSON), or multipart with a
part `file` and a part `mapping`. It goes to a temporary file as it comes in.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, BinaryIO, cast
from uuid import UUID

import msgspec
from litestar import Request, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from ops.auth.guards import requires
from ops.auth.subjects import Staff
from ops.clock import Clock
from ops.db.engine import Database
from ops.decoding import decode
from ops.errors import MalformedBody
from ops.imports.result import Mapping, Result
from ops.imports.runs import run_import
from ops.imports.writer import Coder

UPLOAD_BYTES_MAX = 64_000_000  # 500,000 rows of a seller's export
SPOOL_BYTES = 1_000_000  # larger files wait on the disk
FILE_NAME_LENGTH_MAX = 255
TAGS = ["imports"]

FileName = Annotated[
    str, QueryParameter(max_length=FILE_NAME_LENGTH_MAX, description="For the record.")
]
MappingText = Annotated[
    str | None,
    QueryParameter(
        max_length=10_000,
        description='JSON: {"columns": {"code": "Header"}, "seller": "booth"}',
    ),
]


class Importer:
    """What the routes need: the database, and whoever reads and makes codes."""

    def __init__(
        self,
        database: Database,
        coder: Callable[[], Awaitable[Coder]],
        clock: Clock,
    ) -> None:
        self._database = database
        self._coder = coder
        self._clock = clock

    async def run(
        self,
        event_id: UUID,
        upload: Upload,
        *,
        dry_run: bool,
        created_by: UUID | None = None,
    ) -> Result:
        """Import, or preview, an uploaded file; raises as `run_import`."""
        return await run_import(
            self._database.pool,
            await self._coder(),
            str(event_id),
            upload.file,
            upload.name,
            mapping=upload.mapping,
            dry_run=dry_run,
            created_by=created_by,
            clock=self._clock,
        )


class Upload(msgspec.Struct):
    """A file that came in, and what was said of it."""

    file: BinaryIO
    name: str
    mapping: Mapping | None


@asynccontextmanager
async def uploaded(
    request: Request[Any, Any, Any], file_name: str, mapping: str | None
) -> AsyncIterator[Upload]:
    """The file of a request, until the block ends.

    Raises:
        MalformedBody: no file in it, or a mapping that is not one.
    """
    if "idempotency-key" in request.headers:
        await request.body()  # it was read for the key's sake, and is kept beside
    if request.content_type[0] == "multipart/form-data":
        form = await request.form()
        part = form.get("file")
        if not isinstance(part, UploadFile):
            raise MalformedBody("The form has no part `file`.", code="no_file")
        said = form.get("mapping") or mapping
        name = part.filename or file_name
        yield Upload(cast(BinaryIO, part.file), name, _mapping(said))
        await part.close()
        return
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as file:
        async for block in request.stream():
            file.write(block)
        if not file.tell():
            raise MalformedBody("The body must be the file.", code="no_file")
        yield Upload(cast(BinaryIO, file), file_name, _mapping(mapping))


def _mapping(said: str | None) -> Mapping | None:
    return decode(Mapping, said.encode()) if said else None


@post(
    "/events/{event_id:uuid}/imports/preview",
    guards=[requires("imports", "write")],
    status_code=200,
    request_max_body_size=UPLOAD_BYTES_MAX,
    summary="What an import of this file would do; nothing is written",
    tags=TAGS,
)
async def preview(
    event_id: FromPath[UUID],
    request: Request[Any, Any, Any],
    importer: NamedDependency[Importer],
    file_name: FromQuery[FileName] = "upload",
    mapping: FromQuery[MappingText] = None,
) -> Result:
    """Answer with the dialect, the columns, the counts and every bad row."""
    async with uploaded(request, file_name, mapping) as upload:
        return await importer.run(event_id, upload, dry_run=True)


@post(
    "/events/{event_id:uuid}/imports",
    guards=[requires("imports", "write")],
    opt={"idempotent": True},
    request_max_body_size=UPLOAD_BYTES_MAX,
    summary="Import a file of tickets",
    tags=TAGS,
)
async def create(
    event_id: FromPath[UUID],
    request: Request[Any, Any, Any],
    importer: NamedDependency[Importer],
    me: NamedDependency[Staff],
    file_name: FromQuery[FileName] = "upload",
    mapping: FromQuery[MappingText] = None,
) -> Result:
    """Answer 201 with what was created and changed, and every bad row."""
    async with uploaded(request, file_name, mapping) as upload:
        return await importer.run(
            event_id, upload, dry_run=False, created_by=me.user_id
        )


ROUTES: tuple[Any, ...] = (preview, create)
