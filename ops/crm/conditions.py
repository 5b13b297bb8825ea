"""Conditions of a segment: a small typed tree; its SQL is in `ops.crm.segment_sql`.

Pure.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from ops.decoding import refusal
from ops.errors import FieldProblem, Unprocessable

NODES_MAX: Final = 100
DEPTH_MAX: Final = 8
SETS_MAX: Final = 12
"""Behaviours of one tree that differ: each is a walk over half a million rows."""
FieldName = Literal[
    "city",
    "country",
    "state_province",
    "industry",
    "job_title",
    "lead_source",
    "status",
    "contact_type",
    "email",
    "company_name",
    "company_size",
    "company_industry",
    "account_type",
]
Word = Annotated[str, Meta(max_length=200)]
Days = Annotated[int, Meta(ge=1, le=36_500)]


class _Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that is true of a contact or not."""


class All(_Node, frozen=True, tag="all"):
    """All of these; nothing in it is true of everybody."""

    of: Annotated[tuple[Condition, ...], Meta(max_length=50)]


class AnyOf(_Node, frozen=True, tag="any"):
    """One of these at least."""

    of: Annotated[tuple[Condition, ...], Meta(min_length=1, max_length=50)]


class Not(_Node, frozen=True, tag="not"):
    """Not this."""

    that: Condition


class FieldIs(_Node, frozen=True, tag="field"):
    """A field of the contact or of its company; texts are compared without case."""

    field: FieldName
    op: Literal["is", "is_not", "in", "contains", "empty"] = "is"
    value: Word | Annotated[list[Word], Meta(max_length=200)] | None = None


class Score(_Node, frozen=True, tag="score"):
    """The lead score is at least this."""

    at_least: Annotated[int, Meta(ge=0, le=100)]


class Vip(_Node, frozen=True, tag="vip"):
    """A contact of the kind VIP, or with a ticket of the category VIP."""


class Tagged(_Node, frozen=True, tag="tag"):
    """Has a tag."""

    tag: Annotated[str, Meta(min_length=1, max_length=100)]


class Consented(_Node, frozen=True, tag="consent"):
    """Allows something now."""

    purpose: Literal["marketing", "email", "sms", "phone"]


class Attended(_Node, frozen=True, tag="attended"):
    """Was let in at so many events."""

    at_least: Annotated[int, Meta(ge=1, le=1_000)] = 1
    event_id: UUID | None = None
    within_days: Days | None = None


class Registered(_Node, frozen=True, tag="registered"):
    """Has a ticket of an event that was not cancelled."""

    event_id: UUID


class NoShow(_Node, frozen=True, tag="no_show_last_time"):
    """Had a ticket for the last event that is over, and did not come."""


class Spent(_Node, frozen=True, tag="spent"):
    """Paid more than this, in one currency."""

    more_than: Decimal
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "CAD"
    within_days: Days | None = None


class Contacted(_Node, frozen=True, tag="not_contacted"):
    """Nobody spoke with them for so many days."""

    for_days: Days


Condition: TypeAlias = (
    All
    | AnyOf
    | Not
    | FieldIs
    | Score
    | Vip
    | Tagged
    | Consented
    | Attended
    | Registered
    | NoShow
    | Spent
    | Contacted
)


def read(tree: Any) -> Condition:
    """The conditions that a client sent.

    Raises:
        MalformedBody, UnknownField: not a tree of conditions.
        Unprocessable: `too_many_conditions`, `too_deep`, `too_many_behaviours`.
    """
    if _depth(tree) > 3 * DEPTH_MAX:
        raise _too("too_deep", "The conditions are nested too deeply.")
    try:
        condition: Condition = msgspec.convert(tree, Condition, strict=False)
    except msgspec.ValidationError as error:
        raise refusal(error) from None
    if _count(condition) > NODES_MAX:
        raise _too("too_many_conditions", f"At most {NODES_MAX} conditions.")
    if len(behaviours(condition)) > SETS_MAX:
        raise _too("too_many_behaviours", f"At most {SETS_MAX} kinds of behaviour.")
    return condition


def asks(node: Condition, field: FieldName) -> bool:
    """Whether a field is looked at anywhere."""
    match node:
        case All(of=of) | AnyOf(of=of):
            return any(asks(one, field) for one in of)
        case Not(that=that):
            return asks(that, field)
        case FieldIs():
            return node.field == field
    return False


def _count(node: Condition) -> int:
    match node:
        case All(of=of) | AnyOf(of=of):
            return 1 + sum(map(_count, of))
        case Not(that=that):
            return 1 + _count(that)
    return 1


def behaviours(node: Condition) -> set[Condition]:
    """The different sets that a tree looks into."""
    match node:
        case All(of=of) | AnyOf(of=of):
            return set().union(*map(behaviours, of))
        case Not(that=that):
            return behaviours(that)
        case Vip() | Attended() | Registered() | NoShow() | Spent():
            return {node}
    return set()


def _depth(tree: Any) -> int:
    deepest, level = 0, [tree]
    while level and deepest <= 3 * DEPTH_MAX:
        deepest += 1
        level = [
            inner
            for each in level
            for inner in (
                each.values()
                if isinstance(each, dict)
                else each
                if isinstance(each, list)
                else ()
            )
            if isinstance(inner, (dict, list))
        ]
    return deepest


def _too(code: str, detail: str) -> Unprocessable:
    return Unprocessable(
        detail, code=code, errors=[FieldProblem("conditions", code, detail)]
    )
