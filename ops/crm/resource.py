"""What a resource of the API is: a table, and what its description adds to the model.

A description is declarative (`ops.crm.resources`); everything generic reads it. SQL in
a description speaks of the row as `t` and is written here, never taken from a request.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypedDict, Unpack

import msgspec
from sqlalchemy import Table

from ops.crm.fields import KEY_LENGTH_MAX, Field, constraints_of, fields_of
from ops.db.base import Base

Privacy = Literal["contact_details", "sensitive", "finance"]
"""Permission words that open fields: addresses and numbers of people; what is nobody's
business (birth, health, income); money that is agreed with a person or company."""

ALWAYS_READ_ONLY: Final = frozenset({"id", "no", "version", "created_at", "updated_at"})
PRIVATE: Final[dict[str, Privacy]] = {
    "email": "contact_details",
    "email_as_given": "contact_details",
    "phone": "contact_details",
    "phone_normal": "contact_details",
    "address": "contact_details",
    "address_line1": "contact_details",
    "address_line2": "contact_details",
    "postal_code": "contact_details",
    "date_of_birth": "sensitive",
    "birth_date": "sensitive",
    "gender": "sensitive",
    "annual_income_range": "sensitive",
    "accessibility_needs": "sensitive",
    "dietary_restrictions": "sensitive",
    "accommodation_needs": "sensitive",
    "travel_arrangements": "sensitive",
    "ip_address": "sensitive",
    "user_agent": "sensitive",
    "tax_id": "finance",
    "annual_revenue": "finance",
    "speaker_fee": "finance",
    "sponsorship_amount": "finance",
    "payment_schedule": "finance",
    "contract_url": "finance",
    "commission_rate": "finance",
    "commission_cap": "finance",
    "commission_amount": "finance",
    "base_amount": "finance",
    "total_sales": "finance",
    "total_commission": "finance",
    "payment_reference": "finance",
}
"""Columns that hold something private wherever they stand, unless a description says
otherwise (`open_fields`: the address of a company or venue is on its door)."""


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """A table with an address under /api/v1.

    Args:
        name: the last word of the address; `permission`: the word of the roles.
        singular: names the row in addresses (`{contact_id}`) and schemas (`Contact`).
        event: SQL of the event that a row belongs to; None: the whole organisation's.
        parent: (column, table, SQL of the event) of rows whose event is their parent's.
        area: SQL of the area, for members of one area only.
        reach: SQL that says whether a row of the organisation touches the events $E.
        visible: SQL that every reader needs; $M is who asks, $V whether they see all.
        mine: SQL that says whether a row is the own of who asks, $M; for roles whose
            JSON says "own". `mine_writes` are the columns that the owner may change.
        soft: (column, word) that a delete writes instead of deleting.
        parts: tables whose rows go with the row; all others hold it back.
        owner: column that takes the id of who made the row.
        closed: verb -> why this table's API does not do it, and what does.
        label: SQL of what a person calls the row.
        etag: SQL of what changes when somebody changes the row.
    """

    name: str
    table: str
    singular: str
    permission: str
    fields: dict[str, Field]
    columns_of: dict[str, tuple[str, ...]]
    hidden: frozenset[str]
    read_only: frozenset[str]
    create_only: frozenset[str]
    private: dict[str, Privacy]
    event: str | None
    parent: tuple[str, str, str] | None
    area: str | None
    reach: str | None
    visible: str | None
    mine: str | None
    mine_writes: frozenset[str]
    search: tuple[str, ...]
    sorts: tuple[str, ...]
    sort: str
    soft: tuple[str, str] | None
    parts: frozenset[str]
    history: tuple[tuple[str, str], ...]
    owner: str | None
    closed: dict[str, str]
    label: str
    etag: str
    example: dict[str, Any]
    summary: str

    @property
    def key(self) -> str:
        """The parameter of addresses: `contact_id`."""
        return f"{self.singular}_id"

    @property
    def type_name(self) -> str:
        """The name of its schemas: `Contact`."""
        return "".join(word.capitalize() for word in self.singular.split("_"))

    @property
    def shown(self) -> tuple[Field, ...]:
        """The columns that leave the house."""
        return tuple(f for f in self.fields.values() if f.name not in self.hidden)

    def writable(self, *, creating: bool) -> tuple[Field, ...]:
        """The columns that a client may set."""
        closed = self.hidden | self.read_only
        if not creating:
            closed |= self.create_only
        return tuple(
            f for f in self.fields.values() if f.name not in closed and not f.generated
        )


class Said(TypedDict, total=False):
    """What a description may say; lists of columns are words in a text."""

    name: str
    permission: str
    hidden: str
    read_only: str
    derived: str
    create_only: str
    private: dict[str, Privacy]
    open_fields: str
    event: str | None
    parent: tuple[str, str, str]
    area: str
    reach: str
    visible: str
    mine: str
    mine_writes: str
    search: str
    sorts: str
    sort: str
    soft: tuple[str, str]
    parts: str
    owner: str
    closed: dict[str, str]
    label: str
    etag: str
    example: dict[str, Any]
    summary: str


def describe(table: str, singular: str, **said: Unpack[Said]) -> Resource:
    """Make the description of a table (see `Resource`)."""
    model = Base.metadata.tables[table]
    fields = fields_of(model)
    sort = said.get("sort", "-created_at")
    sorts = tuple(dict.fromkeys([sort.lstrip("-"), *said.get("sorts", "").split()]))
    for column in sorts:
        # The value stands in cursors and indexes.
        fields[column] = msgspec.structs.replace(
            fields[column], length_max=KEY_LENGTH_MAX
        )
    owner = said.get("owner") or ("created_by" if "created_by" in fields else None)
    never = {column for column in ALWAYS_READ_ONLY if column in fields}
    never |= {owner} if owner else set()
    parts = frozenset(said.get("parts", "").split())
    return Resource(
        name=said.get("name", model.name),
        table=f"{model.schema or 'public'}.{model.name}",
        singular=singular,
        permission=said.get("permission", model.name),
        fields=fields,
        columns_of=constraints_of(model),
        hidden=frozenset(said.get("hidden", "").split()) | _secret(fields),
        read_only=frozenset(said.get("read_only", "").split()) | never,
        create_only=frozenset(said.get("create_only", "").split()),
        private=_private(fields, said),
        event=_event(fields, said),
        parent=said.get("parent"),
        area=said.get("area"),
        reach=said.get("reach"),
        visible=said.get("visible"),
        mine=said.get("mine"),
        mine_writes=frozenset(said.get("mine_writes", "").split()),
        search=tuple(said.get("search", "").split()),
        sorts=sorts,
        sort=sort,
        soft=said.get("soft"),
        parts=parts,
        history=_history(model, parts),
        owner=owner,
        closed=said.get("closed", {}),
        label=said.get("label", _label(fields)),
        etag=said.get("etag") or _etag(fields, said),
        example=said.get("example", {}),
        summary=said.get("summary", model.name.replace("_", " ")),
    )


def _secret(fields: dict[str, Field]) -> frozenset[str]:
    """Columns that never leave, also those that somebody adds tomorrow."""
    return frozenset(
        name
        for name, field in fields.items()
        if field.kind == "bytes" or name.endswith(("_hash", "_sealed", "_token"))
    )


def _private(fields: dict[str, Field], said: Said) -> dict[str, Privacy]:
    opened = said.get("open_fields", "").split()
    words = {**PRIVATE, **said.get("private", {})}
    return {c: w for c, w in words.items() if c in fields and c not in opened}


def _event(fields: dict[str, Field], said: Said) -> str | None:
    """The SQL of a row's event: said, its parent's, its own column, or none."""
    if "event" in said:
        return said["event"]
    if "parent" in said:
        column, table, event = said["parent"]
        return f"(SELECT {event} FROM {table} p WHERE p.id = t.{column})"
    return "t.event_id" if "event_id" in fields else None


def _etag(fields: dict[str, Field], said: Said) -> str:
    """The last transaction of a row; where the server itself writes columns, the rest:
    nobody is told "changed meanwhile" because a guest came or a reminder was given.
    """
    counted = f"{said.get('read_only', '')} {said.get('derived', '')}".split()
    if not counted:
        return "t.xmin"
    left_out = {*counted, "updated_at"}
    names = ", ".join(f"t.{name}" for name in sorted(fields) if name not in left_out)
    return f"hashtextextended(ROW({names})::text, 0)"


def _label(fields: dict[str, Field]) -> str:
    """What a person would call the row, from the columns that it has."""
    if "first_name" in fields:
        return "btrim(t.first_name || ' ' || t.last_name)"
    for column in ("title", "name", "full_name"):
        if column in fields:
            return f"t.{column}"
    return "t.id::text"


def _history(model: Table, parts: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """The columns of other tables that point here: a delete asks them first."""
    return tuple(
        (f"{other.schema or 'public'}.{other.name}", column.name)
        for _, other in sorted(Base.metadata.tables.items())
        if other.name not in parts
        for column in other.columns
        for key in column.foreign_keys
        if key.column.table is model
    )
