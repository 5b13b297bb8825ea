"""Routes of segments and of the rules of the lead score."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor
from ops.auth.guards import requires
from ops.auth.subjects import Staff
from ops.crm.conditions import Condition, asks, read
from ops.crm.pool import CrmPool
from ops.crm.rules import RuleTable
from ops.crm.segments import Segments
from ops.errors import FieldProblem, Forbidden
from ops.ids import uuid7
from ops.listing import Page, Turn, by_id

TAGS = ["segments"]
CALL_TIMEOUT_S: Final = 25.0
EXAMPLE: Final = {
    "type": "all",
    "of": [
        {"type": "attended", "at_least": 2},
        {"type": "field", "field": "company_size", "op": "in", "value": ["large"]},
        {"type": "not", "that": {"type": "no_show_last_time"}},
    ],
}
Tree = Annotated[
    dict[str, Any],
    Meta(
        description="`type` is all, any, not, field, score, vip, tag, consent,"
        " attended, registered, no_show_last_time, spent or not_contacted.",
        examples=[EXAMPLE],
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=100, examples=["Regulars"])]

APPLY: Final = "SELECT ops.score_contacts_v1(NULL)"

Signal = Literal[
    "event_attended",
    "session_attended",
    "no_show",
    "order_paid",
    "feedback_given",
    "campaign_opened",
    "campaign_clicked",
    "unsubscribed",
    "interaction_logged",
    "sponsor_scan",
    "lead_created",
]


class SegmentBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A saved filter."""

    name: Name
    conditions: Tree
    description: Annotated[str, Meta(max_length=1_000)] | None = None


class TreeBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Conditions to try out."""

    conditions: Tree


class SegmentView(msgspec.Struct):
    """A segment; `counted` is what it was at `counted_at`."""

    id: UUID
    name: str
    description: str | None
    conditions: dict[str, Any]
    created_by: UUID | None
    counted: int | None
    counted_at: datetime | None
    created_at: datetime
    updated_at: datetime


class CountView(msgspec.Struct):
    """How many contacts."""

    count: int


class MemberView(msgspec.Struct):
    """A contact of a segment; without `contact_details` the address is null."""

    id: UUID
    first_name: str
    last_name: str
    email: str | None
    lead_score: int | None
    company_id: UUID | None


class RuleBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Points for something that contacts do, at most `times_max` times."""

    name: Name
    signal: Annotated[Signal, Meta(examples=["event_attended"])]
    points: Annotated[int, Meta(ge=-100, le=100, examples=[20])]
    times_max: Annotated[int, Meta(ge=1, le=100)] = 1
    within_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    event_id: UUID | None = None
    enabled: bool = True


class RuleView(msgspec.Struct):
    """A rule of the lead score."""

    id: UUID
    name: str
    signal: str
    points: int
    times_max: int
    within_days: int | None
    event_id: UUID | None
    enabled: bool
    created_at: datetime
    updated_at: datetime


SCORES: Final = RuleTable("score_rules", RuleView, ("signal", "points"))


class AppliedView(msgspec.Struct):
    """How many scores changed."""

    changed: int


def _readable(me: Staff, tree: Any) -> Condition:
    """The conditions; a hidden column is not found out by counting.

    Raises:
        Forbidden: `private_field`.
    """
    conditions = read(tree)
    if asks(conditions, "email") and not me.may("contact_details", "read", None):
        problem = FieldProblem("email", "private_field", "Hidden from your role.")
        raise Forbidden(problem.detail, code=problem.code, errors=[problem])
    return conditions


@post(
    "/segments",
    guards=[requires("segments", "write")],
    opt={"idempotent": True},
    summary="Save a segment",
    tags=TAGS,
)
async def create_segment(
    data: JSONBody[SegmentBody],
    me: NamedDependency[Staff],
    actor: NamedDependency[Actor],
    segments: NamedDependency[Segments],
) -> SegmentView:
    """409 if the name is taken."""
    tree = _readable(me, data.conditions)
    return _segment(await segments.save(actor, None, data.name, data.description, tree))


@put(
    "/segments/{segment_id:uuid}",
    guards=[requires("segments", "write")],
    summary="Change a segment",
    tags=TAGS,
)
async def change_segment(
    segment_id: FromPath[UUID],
    data: JSONBody[SegmentBody],
    me: NamedDependency[Staff],
    actor: NamedDependency[Actor],
    segments: NamedDependency[Segments],
) -> SegmentView:
    """The remembered count is forgotten."""
    tree = _readable(me, data.conditions)
    return _segment(
        await segments.save(actor, segment_id, data.name, data.description, tree)
    )


@delete(
    "/segments/{segment_id:uuid}",
    guards=[requires("segments", "delete")],
    summary="Forget a segment",
    tags=TAGS,
)
async def delete_segment(
    segment_id: FromPath[UUID],
    actor: NamedDependency[Actor],
    segments: NamedDependency[Segments],
) -> None:
    """Its contacts stay."""
    await segments.delete(actor, segment_id)


@get(
    "/segments",
    guards=[requires("segments", "read")],
    summary="The saved segments",
    tags=TAGS,
)
async def list_segments(
    segments: NamedDependency[Segments],
    turn: NamedDependency[Turn],
) -> Page[SegmentView]:
    """Oldest first."""
    rows = await segments.page(turn.after_id, turn.limit)
    return turn.page(rows, _segment, by_id)


@post(
    "/segments/preview",
    guards=[requires("segments", "read")],
    status_code=200,
    summary="Count conditions before they are saved",
    tags=TAGS,
)
async def preview(
    data: JSONBody[TreeBody],
    me: NamedDependency[Staff],
    segments: NamedDependency[Segments],
) -> CountView:
    """One statement."""
    return CountView(await segments.count(_readable(me, data.conditions)))


@get(
    "/segments/{segment_id:uuid}/count",
    guards=[requires("segments", "read")],
    summary="How many contacts a segment has now",
    tags=TAGS,
)
async def count_segment(
    segment_id: FromPath[UUID], segments: NamedDependency[Segments]
) -> CountView:
    """The figure is remembered with the segment."""
    return CountView(await segments.count_saved(segment_id))


@get(
    "/segments/{segment_id:uuid}/contacts",
    guards=[requires("segments", "read"), requires("contacts", "read")],
    summary="The contacts of a segment",
    tags=TAGS,
)
async def segment_contacts(
    segment_id: FromPath[UUID],
    me: NamedDependency[Staff],
    segments: NamedDependency[Segments],
    turn: NamedDependency[Turn],
) -> Page[MemberView]:
    """In the order of their ids."""
    open_to = me.may("contact_details", "read", None)
    row = await segments.one(segment_id)
    rows = await segments.contacts(read(row["conditions"]), turn.after_id, turn.limit)

    def member(contact: Any) -> MemberView:
        view = MemberView(**dict(contact))
        return view if open_to else msgspec.structs.replace(view, email=None)

    return turn.page(rows, member, by_id)


@get(
    "/score-rules",
    guards=[requires("leads", "read")],
    summary="The rules of the lead score",
    tags=["leads"],
)
async def list_rules(crm_pool: NamedDependency[CrmPool]) -> list[RuleView]:
    """At most 500."""
    return await SCORES.all(crm_pool)


@post(
    "/score-rules",
    guards=[requires("settings", "write")],
    opt={"idempotent": True},
    summary="Add a rule of the lead score",
    tags=["leads"],
)
async def create_rule(
    data: JSONBody[RuleBody],
    actor: NamedDependency[Actor],
    crm_pool: NamedDependency[CrmPool],
    auditor: NamedDependency[Auditor],
) -> RuleView:
    """It counts from the next turn of the duty, or from `POST /score-rules/apply`."""
    async with crm_pool.pool.acquire() as db, db.transaction():
        return await SCORES.save(db, auditor, actor, uuid7(), data, "create")


@put(
    "/score-rules/{rule_id:uuid}",
    guards=[requires("settings", "write")],
    summary="Change a rule of the lead score",
    tags=["leads"],
)
async def change_rule(
    rule_id: FromPath[UUID],
    data: JSONBody[RuleBody],
    actor: NamedDependency[Actor],
    crm_pool: NamedDependency[CrmPool],
    auditor: NamedDependency[Auditor],
) -> RuleView:
    """404 for a rule that is not there."""
    await SCORES.must_have(crm_pool, rule_id)
    async with crm_pool.pool.acquire() as db, db.transaction():
        return await SCORES.save(db, auditor, actor, rule_id, data, "update")


@delete(
    "/score-rules/{rule_id:uuid}",
    guards=[requires("settings", "write")],
    summary="Forget a rule of the lead score",
    tags=["leads"],
)
async def delete_rule(
    rule_id: FromPath[UUID],
    actor: NamedDependency[Actor],
    crm_pool: NamedDependency[CrmPool],
    auditor: NamedDependency[Auditor],
) -> None:
    """Scores follow with the next turn."""
    async with crm_pool.pool.acquire() as db, db.transaction():
        await SCORES.forget(db, auditor, actor, rule_id)


@post(
    "/score-rules/apply",
    guards=[requires("settings", "write")],
    opt={"idempotent": True},
    status_code=200,
    summary="Compute the lead scores of all contacts now",
    tags=["leads"],
)
async def apply_rules(crm_pool: NamedDependency[CrmPool]) -> AppliedView:
    """One statement."""
    async with crm_pool.turn():
        return AppliedView(await crm_pool.pool.fetchval(APPLY, timeout=CALL_TIMEOUT_S))


def _segment(row: Any) -> SegmentView:
    return msgspec.convert(dict(row), SegmentView)


ROUTES = (
    create_segment,
    change_segment,
    delete_segment,
    list_segments,
    preview,
    count_segment,
    segment_contacts,
    list_rules,
    create_rule,
    change_rule,
    delete_rule,
    apply_rules,
)
