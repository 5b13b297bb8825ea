"""POST /events/{id}/imports/preview and /imports: a file as the body, or as a form.

The body is the file itself (`?file_name=`, `?mapping=` as JSON), or multipart with a
part `file` and a part `mapping`. It goes to a temporary file as it comes in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from ops.auth.guards import requires
from ops.auth.subjects import Staff
from ops.clock import Clock
from ops.db.engine import Database
from ops.decoding import decode
from ops.imports.result import Mapping, Result
from ops.imports.runs import run_import
from ops.imports.writer import Coder
from ops.sheets.upload import Upload, uploaded

UPLOAD_BYTES_MAX = 64_000_000  # 500,000 rows of a seller's export
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
            mapping=_mapping(upload.mapping),
            dry_run=dry_run,
            created_by=created_by,
            clock=self._clock,
        )


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
