"""Routes of people: who may be one person, merging them, and the timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from ops.audit.entry import Actor
from ops.auth.guards import requires
from ops.auth.subjects import Staff
from ops.crm import keyset
from ops.crm.duplicates import Duplicates
from ops.crm.merge import Field, Merging
from ops.crm.pool import CrmPool
from ops.crm.timeline import KINDS, Timeline
from ops.errors import FieldProblem, Unprocessable
from ops.listing import Page, Turn, by_time

TAGS = ["contacts"]


class PairKey(msgspec.Struct, array_like=True, frozen=True):
    """The sort key of the list of pairs."""

    score: float
    low_id: UUID
    high_id: UUID


class PersonView(msgspec.Struct):
    """As much of a contact as it takes to tell two apart; without `contact_details`
    address and number are null.
    """

    id: UUID
    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    company: str
    city: str
    tickets: int
    created_at: datetime | None


class CandidateView(msgspec.Struct):
    """Somebody who may be the same person; `score` 0 to 1."""

    contact: PersonView
    score: float
    reasons: Annotated[list[str], Meta(examples=[["phone", "name"]])]


class PairView(msgspec.Struct):
    """Two contacts that may be one person."""

    one: PersonView
    other: PersonView
    score: float
    reasons: list[str]
    found_at: datetime


class FoundView(msgspec.Struct):
    """How many pairs are new on the list."""

    found: int


class MergeBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who goes into whom: the contact of the address stays."""

    loser_id: UUID
    take: Annotated[
        list[Field],
        Meta(max_length=30, description="Fields of which the loser's value is better."),
    ] = []


class MergeView(msgspec.Struct):
    """A merge; `moved` counts the rows of each column that changed hands."""

    id: UUID
    winner_id: UUID
    loser_id: UUID
    moved: Annotated[dict[str, int], Meta(examples=[{"public.orders.contact_id": 2}])]
    merged_at: datetime
    replayed: bool


class DismissBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Two contacts that are two people."""

    one_id: UUID
    other_id: UUID


class TimelineView(msgspec.Struct):
    """An entry; what is in `what` depends on `kind`."""

    at: datetime
    id: UUID
    kind: Annotated[str, Meta(examples=["visit"])]
    event_id: UUID | None
    event: str | None
    what: Annotated[dict[str, Any], Meta(examples=[{"place": "Hall", "minutes": 95}])]


@get(
    "/contacts/duplicates",
    guards=[requires("contacts", "read")],
    summary="Contacts that may be one person, the likeliest first",
    tags=TAGS,
)
async def list_duplicates(
    me: NamedDependency[Staff],
    duplicates: NamedDependency[Duplicates],
    turn: NamedDependency[Turn],
) -> Page[PairView]:
    """Two statements a page."""
    after = keyset.values_of(turn.cursor, PairKey)
    key = msgspec.structs.astuple(after) if after else None
    rows = await duplicates.page(key, turn.limit)
    shown = rows[: turn.limit]
    last = shown[-1][0] if len(rows) > turn.limit else None
    return Page(
        [
            PairView(
                _person(me, one),
                _person(me, other),
                row["score"],
                row["reasons"],
                row["found_at"],
            )
            for row, one, other in shown
        ],
        keyset.cursor_of(PairKey(last["score"], last["low_id"], last["high_id"]))
        if last is not None
        else None,
    )


@post(
    "/contacts/duplicates/find",
    guards=[requires("contacts", "write")],
    opt={"idempotent": True},
    status_code=200,
    summary="Look for contacts that may be one person",
    tags=TAGS,
)
async def find_duplicates(
    duplicates: NamedDependency[Duplicates], crm_pool: NamedDependency[CrmPool]
) -> FoundView:
    """Some seconds for a million contacts; a duty does it as well."""
    async with crm_pool.turn():
        return FoundView(await duplicates.find())


@post(
    "/contacts/duplicates/dismiss",
    guards=[requires("contacts", "write")],
    opt={"idempotent": True},
    status_code=204,
    summary="Two contacts are two people",
    tags=TAGS,
)
async def dismiss_duplicates(
    data: JSONBody[DismissBody],
    actor: NamedDependency[Actor],
    duplicates: NamedDependency[Duplicates],
) -> None:
    """May come twice."""
    await duplicates.dismiss(actor, data.one_id, data.other_id)


@get(
    "/contacts/{contact_id:uuid}/duplicates",
    guards=[requires("contacts", "read")],
    summary="Who may be the same person as a contact",
    tags=TAGS,
)
async def near_duplicates(
    contact_id: FromPath[UUID],
    me: NamedDependency[Staff],
    duplicates: NamedDependency[Duplicates],
) -> list[CandidateView]:
    """At most 150, by phone, mailbox and name."""
    return [
        CandidateView(
            _person(me, pair.other), pair.likeness.score, list(pair.likeness.reasons)
        )
        for pair in await duplicates.near(contact_id)
    ]


@post(
    "/contacts/{contact_id:uuid}/merge",
    guards=[requires("contacts", "delete")],
    opt={"idempotent": True},
    summary="Merge another contact into this one",
    tags=TAGS,
)
async def merge_contacts(
    contact_id: FromPath[UUID],
    data: JSONBody[MergeBody],
    actor: NamedDependency[Actor],
    merging: NamedDependency[Merging],
) -> Response[MergeView]:
    """Answer 201, or 200 with `replayed` if this very merge was done before."""
    merged = await merging.merge(actor, contact_id, data.loser_id, data.take)
    view = MergeView(**dict(merged.row), replayed=merged.replayed)
    return Response(view, status_code=200 if merged.replayed else 201)


@get(
    "/contacts/{contact_id:uuid}/timeline",
    guards=[requires("contacts", "read")],
    summary="Everything that touches a contact, newest first",
    tags=TAGS,
)
async def timeline(
    contact_id: FromPath[UUID],
    me: NamedDependency[Staff],
    timeline_of: NamedDependency[Timeline],
    turn: NamedDependency[Turn],
    kind: FromQuery[list[str] | None] = None,
) -> Page[TimelineView]:
    """Entries of kinds that the role may read; private notes of others never."""
    wanted = kind or list(KINDS)
    unknown = sorted(set(wanted) - set(KINDS))
    if unknown:
        problem = FieldProblem(
            "kind", "not_allowed", "There is no such kind.", sorted(KINDS)
        )
        raise Unprocessable(problem.detail, errors=[problem])
    kinds = [name for name in wanted if me.may(KINDS[name], "read", None)]
    rows = await timeline_of.page(contact_id, me.user_id, kinds, turn.start, turn.limit)
    return turn.page(rows, lambda row: TimelineView(**dict(row)), by_time("at"))


def _person(me: Staff, row: Any) -> PersonView:
    view = msgspec.convert(dict(row), PersonView)
    if me.may("contact_details", "read", None):
        return view
    return msgspec.structs.replace(view, email=None, phone=None)


ROUTES = (
    list_duplicates,
    find_duplicates,
    dismiss_duplicates,
    near_duplicates,
    merge_contacts,
    timeline,
)
