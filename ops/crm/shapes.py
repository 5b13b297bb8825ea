"""The bodies of each resource as types: what is shown, makes a row, changes it.

Made once from the descriptions. Words and ranges stand in the schema for the reader of
the OpenAPI document; they are checked by `ops.crm.values`, because the answer to a
wrong one is 422 with what is allowed, while a wrong type is 400.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ops.crm.fields import Field
from ops.crm.resource import Resource
from ops.listing import Page


class Shapes(msgspec.Struct, frozen=True):
    """The types of a resource; `view` is for the document alone."""

    view: type[msgspec.Struct]
    create: type[msgspec.Struct]
    patch: type[msgspec.Struct]
    page: Any


def shapes_of(resource: Resource) -> Shapes:
    """Make the types of a resource."""
    name = resource.type_name
    view = _struct(
        name,
        f"A row of {resource.name}; what a role may not see is left out.",
        [
            *((f.name, _shown(f), UNSET) for f in resource.shown),
            ("etag", Annotated[str, Meta(description="For If-Match.")], UNSET),
            (
                "labels",
                Annotated[
                    dict[str, str | None] | UnsetType,
                    Meta(
                        description="With ?labels=true: what the rows referred to"
                        " are called, by column."
                    ),
                ],
                UNSET,
            ),
        ],
    )
    made = [
        (f.name, _wanted(f), msgspec.NODEFAULT)
        if _required(f)
        else (f.name, _wanted(f) | None | UnsetType, UNSET)
        for f in resource.writable(creating=True)
    ]
    made.sort(key=lambda entry: entry[2] is UNSET)
    changed = [
        (f.name, _wanted(f) | None | UnsetType, UNSET)
        for f in resource.writable(creating=False)
    ]
    return Shapes(
        view=view,
        create=_struct(f"{name}Create", f"What makes a row of {resource.name}.", made),
        patch=_struct(
            f"{name}Patch", "What is not named stays; null empties it.", changed
        ),
        page=Page[view],  # type: ignore[valid-type]
    )


def _required(field: Field) -> bool:
    return not field.nullable and not field.has_default


def _struct(
    name: str, doc: str, fields: list[tuple[str, Any, Any]]
) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        name,
        fields,
        namespace={"__doc__": doc},
        module=__name__,
        forbid_unknown_fields=True,
        kw_only=True,
    )


def _described(field: Field) -> Any:
    """The type of a column with its rule as a sentence."""
    said = rule_of(field)
    kind = field.python
    if field.kind == "timestamp":
        return Annotated[datetime, Meta(tz=True, description=said or None)]
    if field.kind == "time":
        local = "A time of day in the event's zone, as 06:00:00."
        return Annotated[time, Meta(tz=False, description=local)]
    if field.allowed is not None and field.kind == "text":
        # For the document alone: the answer to another word is ours, not the decoder's.
        words = [*field.allowed, *([None] if field.nullable else [])]
        extra = {"description": said, "extra": {"enum": words}}
        return Annotated[str, Meta(extra_json_schema=extra)]
    return Annotated[kind, Meta(description=said)] if said else kind


def rule_of(field: Field) -> str:
    """What is allowed, for people."""
    if field.allowed is not None:
        return f"One of: {', '.join(field.allowed)}."
    if field.kind == "decimal":
        return f"A decimal as text, {field.scale} places after the point."
    if field.kind == "integer" and field.low is not None:
        return f"From {field.low} to {field.high}."
    if field.kind == "text":
        return f"At most {field.length_max} characters."
    if field.references:
        return f"The id of a row of {field.references}."
    return ""


def _shown(field: Field) -> Any:
    return _described(field) | None | UnsetType


def _wanted(field: Field) -> Any:
    return _described(field)


def plain(body: msgspec.Struct) -> dict[str, Any]:
    """What a body names, by column."""
    return {
        name: value
        for name in body.__struct_fields__
        if (value := getattr(body, name)) is not UNSET
    }


__all__ = ["UUID", "Shapes", "date", "plain", "rule_of", "shapes_of"]
