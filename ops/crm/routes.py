"""The addresses of every resource: list, read, create, patch, delete, bulk.

    GET /contacts?status=active&q=zoe&sort=-lead_score&limit=50&cursor=..
    GET /contacts/{contact_id}      ETag: "812"
    POST /contacts                  Idempotency-Key: <uuid>
    PATCH /contacts/{contact_id}    If-Match: "812"
    DELETE /contacts/{contact_id}
    POST /contacts/bulk {"operations": [{"op": "update", "id": "..", "data": {..}}]}

Handlers are made from the descriptions; each takes one dependency, because more would
cost a task group a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from litestar import Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from ops.auth.guards import requires
from ops.crm.bulk import Bulk, BulkAnswer, BulkBody
from ops.crm.changes import Actor
from ops.crm.document import documented
from ops.crm.query import read as read_query
from ops.crm.records import Records
from ops.crm.resource import Resource
from ops.crm.resources import RESOURCES
from ops.crm.shapes import Shapes, plain, shapes_of

BULK_BYTES_MAX = 8_000_000
_encode = msgspec.json.Encoder().encode

AnyRequest = Request[Any, Any, Any]


class Crm(NamedTuple):
    """What the handlers need, wired in `ops.runtime`."""

    records: Records
    bulk: Bulk


class Deleted(msgspec.Struct):
    """`gone`: the row is no more; else it was marked (its status says how)."""

    id: UUID
    gone: bool


def actor_of(request: AnyRequest) -> Actor:
    """Who asks, and from where."""
    return Actor(request.scope["user"], request.scope["client_address"])  # type: ignore[typeddict-item]


def etags_of(request: AnyRequest) -> list[str] | None:
    """The versions of If-Match; None where any will do."""
    header = request.headers.get("if-match")
    if header is None or header.strip() == "*":
        return None
    parts = (part.strip().removeprefix("W/") for part in header.split(","))
    return [part.strip('"') for part in parts]


def row_id_of(request: AnyRequest, resource: Resource) -> UUID:
    """The id in the address."""
    row_id: UUID = request.path_params[resource.key]
    return row_id


def answer(item: dict[str, Any], status: int = 200) -> Response[Any]:
    """A row as JSON, its version in the header."""
    return Response(
        _encode(item),
        status_code=status,
        media_type="application/json",
        headers={"ETag": f'"{item["etag"]}"'},
    )


def handlers_of(
    resource: Resource, *, without: Sequence[str] = ()
) -> list[HTTPRouteHandler]:
    """The handlers of a resource; `without` leaves some to handlers of their own."""
    shapes = shapes_of(resource)
    made = {
        "list": _list(resource, shapes),
        "read": _read(resource, shapes),
        "create": _create(resource, shapes),
        "update": _patch(resource, shapes),
        "delete": _delete(resource),
        "bulk": _bulk(resource, shapes),
    }
    closed = {*without, *(verb for verb in resource.closed)}
    return [handler for verb, handler in made.items() if verb not in closed]


def _list(resource: Resource, shapes: Shapes) -> HTTPRouteHandler:
    async def handler(request: AnyRequest, crm: NamedDependency[Crm]) -> Response[Any]:
        query = read_query(resource, request.scope["query_string"])
        items, cursor = await crm.records.page(request.scope["user"], resource, query)
        body = _encode({"items": items, "next_cursor": cursor})
        return Response(body, media_type="application/json")

    handler.__annotations__["return"] = Response[shapes.page]  # type: ignore[name-defined]
    return get(
        f"/{resource.name}",
        guards=[requires(resource.permission, "read", anywhere=True, own=True)],
        summary=f"List {resource.summary}",
        description="A page of rows by keyset, with filters by operator, order, fields,"
        " search. Docs: docs/subsystems/crm.md.",
        operation_class=documented(resource, "list"),
        operation_id=f"list_{resource.name}",
        tags=[resource.name],
    )(handler)


def _read(resource: Resource, shapes: Shapes) -> HTTPRouteHandler:
    async def handler(request: AnyRequest, crm: NamedDependency[Crm]) -> Response[Any]:
        item = await crm.records.read(
            request.scope["user"],
            resource,
            row_id_of(request, resource),
            labels=b"labels=true" in request.scope["query_string"],
        )
        return answer(item)

    handler.__annotations__["return"] = Response[shapes.view]  # type: ignore[name-defined]
    return get(
        f"/{resource.name}/{{{resource.key}:uuid}}",
        guards=[requires(resource.permission, "read", anywhere=True, own=True)],
        summary=f"Read one of {resource.summary}",
        description="The row, and its version in ETag.",
        operation_class=documented(resource, "read"),
        operation_id=f"read_{resource.singular}",
        tags=[resource.name],
    )(handler)


def _create(resource: Resource, shapes: Shapes) -> HTTPRouteHandler:
    async def handler(
        data: Any, request: AnyRequest, crm: NamedDependency[Crm]
    ) -> Response[Any]:
        async with crm.records.connection() as db, db.transaction():
            item = await crm.records.create(
                db, actor_of(request), resource, plain(data)
            )
        return answer(item, 201)

    handler.__annotations__["data"] = JSONBody[shapes.create]  # type: ignore[name-defined, misc]
    handler.__annotations__["return"] = Response[shapes.view]  # type: ignore[name-defined]
    return post(
        f"/{resource.name}",
        guards=[requires(resource.permission, "write", anywhere=True, own=True)],
        opt={"idempotent": True},
        summary=f"Create one of {resource.summary}",
        description="Takes an Idempotency-Key. What breaks a rule is 422 with the field"
        " and what is allowed, what exists already 409.",
        operation_class=documented(resource, "create"),
        operation_id=f"create_{resource.singular}",
        tags=[resource.name],
    )(handler)


def _patch(resource: Resource, shapes: Shapes) -> HTTPRouteHandler:
    async def handler(
        data: Any, request: AnyRequest, crm: NamedDependency[Crm]
    ) -> Response[Any]:
        async with crm.records.connection() as db, db.transaction():
            item = await crm.records.update(
                db,
                actor_of(request),
                resource,
                row_id_of(request, resource),
                plain(data),
                etags_of(request),
            )
        return answer(item)

    handler.__annotations__["data"] = JSONBody[shapes.patch]  # type: ignore[name-defined, misc]
    handler.__annotations__["return"] = Response[shapes.view]  # type: ignore[name-defined]
    return patch(
        f"/{resource.name}/{{{resource.key}:uuid}}",
        guards=[requires(resource.permission, "write", anywhere=True, own=True)],
        summary=f"Change one of {resource.summary}",
        description="With If-Match, 412 if somebody changed it since.",
        operation_class=documented(resource, "update"),
        operation_id=f"update_{resource.singular}",
        tags=[resource.name],
    )(handler)


def _delete(resource: Resource) -> HTTPRouteHandler:
    async def handler(request: AnyRequest, crm: NamedDependency[Crm]) -> Deleted:
        row_id = row_id_of(request, resource)
        async with crm.records.connection() as db, db.transaction():
            gone = await crm.records.delete(
                db, actor_of(request), resource, row_id, etags_of(request)
            )
        return Deleted(row_id, gone)

    soft = resource.soft
    said = (
        f"Marks it: {soft[0]} becomes {soft[1]}."
        if soft
        else "409 `has_history` while other rows hang on it."
    )
    return delete(
        f"/{resource.name}/{{{resource.key}:uuid}}",
        guards=[requires(resource.permission, "delete", anywhere=True)],
        status_code=200,
        summary=f"Delete one of {resource.summary}",
        description=said,
        operation_class=documented(resource, "delete"),
        operation_id=f"delete_{resource.singular}",
        tags=[resource.name],
    )(handler)


def _bulk(resource: Resource, shapes: Shapes) -> HTTPRouteHandler:
    async def handler(
        data: Any, request: AnyRequest, crm: NamedDependency[Crm]
    ) -> BulkAnswer:
        return await crm.bulk.run(
            actor_of(request), resource, shapes, await request.body()
        )

    handler.__annotations__["data"] = JSONBody[BulkBody]
    return post(
        f"/{resource.name}/bulk",
        guards=[requires(resource.permission, "write", anywhere=True, own=True)],
        opt={"idempotent": True},
        status_code=200,
        request_max_body_size=BULK_BYTES_MAX,
        summary=f"Change up to 1,000 of {resource.summary}",
        description="An answer for each operation; a bad one stops no other.",
        operation_class=documented(resource, "bulk"),
        operation_id=f"bulk_{resource.name}",
        tags=[resource.name],
    )(handler)


_ELSEWHERE = {"events": ("read",)}
"""What handlers of other parts answer already (`ops.checkin.event_routes`)."""

ROUTES: tuple[HTTPRouteHandler, ...] = tuple(
    handler
    for resource in RESOURCES
    for handler in handlers_of(resource, without=_ELSEWHERE.get(resource.name, ()))
)
