"""What the OpenAPI document says of a resource beyond its types: filters, examples."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from litestar.openapi.spec import Operation, Parameter, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType

from ops.crm.query import ops_of
from ops.crm.resource import Resource
from ops.crm.shapes import rule_of
from ops.listing import LIMIT_MAX

Verb = Literal["list", "read", "create", "update", "delete", "bulk"]


def documented(resource: Resource, verb: Verb) -> type[Operation]:
    """An operation that adds what the handler's signature does not show."""
    return _class(resource.name, verb, _Details(resource))


class _Details:
    """A description that can be a key of a cache."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource


@cache
def _class(name: str, verb: Verb, details: _Details) -> type[Operation]:
    resource = details.resource

    class Documented(Operation):
        def __init__(self, **said: Any) -> None:
            super().__init__(**said)
            parameters = list(self.parameters or [])
            if verb == "list":
                parameters += _list_parameters(resource)
            if verb == "read":
                parameters.append(_labels())
            if verb in ("create", "bulk"):
                parameters.append(_header("Idempotency-Key", "A UUID, kept 24 hours."))
            if verb in ("update", "delete"):
                parameters.append(_header("If-Match", 'The ETag: "812".'))
            self.parameters = parameters or None
            example = _example(resource, verb)
            if example is not None and isinstance(self.request_body, RequestBody):
                for media in self.request_body.content.values():
                    media.example = example

    return Documented


def _example(resource: Resource, verb: Verb) -> dict[str, Any] | None:
    writable = {field.name for field in resource.writable(creating=verb != "update")}
    given = {k: v for k, v in resource.example.items() if k in writable}
    if verb == "bulk":
        return {"operations": [{"op": "create", "data": given}]}
    return given if verb in ("create", "update") else None


def _text(**more: Any) -> Schema:
    return Schema(type=OpenAPIType.STRING, **more)


def _header(name: str, said: str) -> Parameter:
    return Parameter(name=name, param_in="header", schema=_text(), description=said)


def _labels() -> Parameter:
    return Parameter(
        name="labels",
        param_in="query",
        schema=Schema(type=OpenAPIType.BOOLEAN),
        description="Also what the rows referred to are called.",
    )


def _list_parameters(resource: Resource) -> list[Parameter]:
    orders = [*resource.sorts, "id"]
    found = [
        Parameter(
            name="limit",
            param_in="query",
            schema=Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=LIMIT_MAX),
        ),
        Parameter(name="cursor", param_in="query", schema=_text()),
        Parameter(
            name="sort",
            param_in="query",
            schema=_text(enum=[*orders, *(f"-{order}" for order in orders)]),
            description="A leading minus turns it round.",
        ),
        Parameter(
            name="fields",
            param_in="query",
            schema=_text(),
            description="Columns with commas; id and etag always come.",
        ),
        _labels(),
    ]
    if resource.search:
        said = f"Every word in {', '.join(resource.search)}; accents and case aside."
        found.append(
            Parameter(name="q", param_in="query", schema=_text(), description=said)
        )
    for field in resource.shown:
        operators = ops_of(field)
        if not operators:
            continue
        rule = rule_of(field)
        found.append(
            Parameter(
                name=field.name,
                param_in="query",
                style="deepObject",
                explode=True,
                schema=Schema(
                    type=OpenAPIType.OBJECT,
                    properties={op: _text() for op in operators},
                    additional_properties=False,
                ),
                description=f"`{field.name}=..` or `{field.name}[op]=..`, op one of"
                f" {', '.join(operators)}. {rule}".strip(),
            )
        )
    return found
