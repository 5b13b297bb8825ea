"""Files out and in: every list as CSV; contacts, companies, leads and tickets by file.

GET /contacts/export.csv?status=active
POST /contacts/import?dry_run=true     the file as the body, or as a form
"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from ops.auth.guards import requires
from ops.crm.columns import KEYS
from ops.crm.document import documented
from ops.crm.export import Export
from ops.crm.importing import ImportAnswer, Importing, ImportMapping
from ops.crm.query import read as read_query
from ops.crm.resource import Resource
from ops.crm.resources import BY_NAME, RESOURCES
from ops.crm.routes import actor_of
from ops.decoding import decode
from ops.sheets.upload import uploaded

UPLOAD_BYTES_MAX = 64_000_000
MappingText = Annotated[
    str | None,
    QueryParameter(
        max_length=10_000,
        description='JSON: {"columns": {"Courriel": "email"}, "key": "email"}',
    ),
]


def _export(resource: Resource) -> HTTPRouteHandler:
    async def handler(
        request: Request[Any, Any, Any], export: NamedDependency[Export]
    ) -> Stream:
        query = read_query(resource, request.scope["query_string"])
        chunks = await export.open(actor_of(request), resource, query)
        name = f'attachment; filename="{resource.name}.csv"'
        return Stream(
            chunks,
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": name},
        )

    return get(
        f"/{resource.name}/export.csv",
        guards=[requires(resource.permission, "read", anywhere=True, own=True)],
        media_type="text/csv",
        summary=f"Export {resource.summary} as CSV",
        description="With the filters, order and fields of the list; any length.",
        operation_class=documented(resource, "list"),
        operation_id=f"export_{resource.name}",
        tags=[resource.name],
    )(handler)


def _import(resource: Resource) -> HTTPRouteHandler:
    async def handler(
        request: Request[Any, Any, Any],
        importing: NamedDependency[Importing],
        dry_run: FromQuery[bool] = False,
        mapping: FromQuery[MappingText] = None,
    ) -> ImportAnswer:
        async with uploaded(request, resource.name, mapping) as upload:
            said = (upload.mapping or "{}").encode()
            return await importing.run(
                actor_of(request),
                resource,
                upload.file,
                decode(ImportMapping, said),
                dry_run=dry_run,
            )

    return post(
        f"/{resource.name}/import",
        guards=[requires(resource.permission, "write", anywhere=True, own=True)],
        opt={"idempotent": True},
        status_code=200,
        request_max_body_size=UPLOAD_BYTES_MAX,
        summary=f"Import {resource.summary} from CSV or XLSX",
        description="A row whose key is there changes it, else makes one. With"
        " dry_run nothing is kept. Keys: " + ", ".join(KEYS[resource.name]) + ".",
        operation_id=f"import_{resource.name}",
        tags=[resource.name],
    )(handler)


ROUTES: tuple[HTTPRouteHandler, ...] = (
    *(_export(resource) for resource in RESOURCES),
    *(_import(BY_NAME[name]) for name in KEYS),
)
