"""A file that comes with a request: the body itself, or the part `file` of a form."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, BinaryIO, cast

import msgspec
from litestar import Request
from litestar.datastructures import UploadFile

from ops.errors import MalformedBody

SPOOL_BYTES = 1_000_000  # larger files wait on the disk


class Upload(msgspec.Struct):
    """A file that came in; `mapping` is what was said of its columns, as JSON."""

    file: BinaryIO
    name: str
    mapping: str | None


@asynccontextmanager
async def uploaded(
    request: Request[Any, Any, Any], file_name: str, mapping: str | None
) -> AsyncIterator[Upload]:
    """The file of a request, until the block ends.

    Raises:
        MalformedBody: there is no file in it.
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
        yield Upload(cast(BinaryIO, part.file), name, said)
        await part.close()
        return
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as file:
        async for block in request.stream():
            file.write(block)
        if not file.tell():
            raise MalformedBody("The body must be the file.", code="no_file")
        yield Upload(cast(BinaryIO, file), file_name, mapping)
