"""Routes of the pipeline: conversions, stages, forecast, tasks that are due."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta

from ops.audit.entry import Actor
from ops.auth.guards import requires, staff_required
from ops.auth.subjects import Staff
from ops.clock import Clock
from ops.crm.pipeline import Pipeline, Stage

Days = Annotated[int, QueryParameter(ge=0, le=366)]
Text = Annotated[str, Meta(min_length=1, max_length=500)]


class ConvertBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The name of the opportunity; without it that of the company or the person."""

    name: Annotated[str, Meta(max_length=200, examples=["Team tickets"])] | None = None


class DealView(msgspec.Struct):
    """An opportunity that a lead became."""

    id: UUID
    stage: str | None
    amount: Decimal | None
    created_at: datetime | None
    replayed: bool


class MoveBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where to; why is required for a lost one."""

    stage: Annotated[Stage, Meta(examples=["proposal"])]
    probability: Annotated[int, Meta(ge=0, le=100)] | None = None
    reason: Text | None = None
    competitor: Text | None = None


class MovedView(msgspec.Struct):
    """An opportunity after its step."""

    id: UUID
    stage: str
    amount: Decimal | None
    probability: int | None
    actual_close_date: date | None


class OrderBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """For which event, if the opportunity does not say; whether it is paid."""

    event_id: UUID | None = None
    paid: bool = False


class OrderView(msgspec.Struct):
    """An order that an opportunity became."""

    id: UUID
    order_number: str
    status: str
    total: Decimal
    currency: str
    replayed: bool


class StepView(msgspec.Struct):
    """A step of the history."""

    from_stage: str | None
    to_stage: str | None
    probability: int | None
    amount: Decimal | None
    changed_by: UUID | None
    changed_by_name: str
    at: datetime


class MonthView(msgspec.Struct):
    """Open deals of a month; null: nobody said when."""

    month: date | None
    deals: int
    amount: Decimal
    weighted: Decimal


class OutcomeView(msgspec.Struct):
    """How many deals ended for a reason."""

    stage: str
    reason: str
    deals: int
    amount: Decimal


class TaskView(msgspec.Struct):
    """A task that is due."""

    id: UUID
    title: str
    task_type: str | None
    priority: str | None
    status: str | None
    due_date: datetime | None
    reminder_date: datetime | None
    contact_id: UUID | None
    contact: str
    company_id: UUID | None
    opportunity_id: UUID | None
    event_id: UUID | None
    assigned_to: UUID | None
    overdue: bool | None


class ReminderView(msgspec.Struct):
    """A reminder of a task."""

    id: UUID
    task_id: UUID
    title: str
    due_date: datetime | None
    due_at: datetime
    created_at: datetime
    seen_at: datetime | None


@post(
    "/leads/{lead_id:uuid}/convert",
    guards=[requires("leads", "write"), requires("opportunities", "write")],
    opt={"idempotent": True},
    summary="Make an opportunity of a lead, once",
    tags=["leads"],
)
async def convert_lead(
    lead_id: FromPath[UUID],
    data: JSONBody[ConvertBody],
    actor: NamedDependency[Actor],
    pipeline: NamedDependency[Pipeline],
) -> Response[DealView]:
    """Answer 201, or 200 with `replayed` if there is one."""
    made = await pipeline.convert_lead(actor, lead_id, data.name)
    view = DealView(**dict(made.row), replayed=made.replayed)
    return Response(view, status_code=200 if made.replayed else 201)


@post(
    "/opportunities/{deal_id:uuid}/move",
    guards=[requires("opportunities", "write")],
    opt={"idempotent": True},
    status_code=200,
    summary="Put an opportunity into another stage",
    tags=["opportunities"],
)
async def move_deal(
    deal_id: FromPath[UUID],
    data: JSONBody[MoveBody],
    actor: NamedDependency[Actor],
    pipeline: NamedDependency[Pipeline],
) -> MovedView:
    """A closed one gets today as its day, and closes its lead."""
    row = await pipeline.move(
        actor,
        deal_id,
        data.stage,
        probability=data.probability,
        reason=data.reason,
        competitor=data.competitor,
    )
    return MovedView(**dict(row))


@post(
    "/opportunities/{deal_id:uuid}/order",
    guards=[requires("opportunities", "write"), requires("orders", "read")],
    opt={"idempotent": True},
    summary="Win an opportunity: make its order, once",
    tags=["opportunities"],
)
async def order_deal(
    deal_id: FromPath[UUID],
    data: JSONBody[OrderBody],
    actor: NamedDependency[Actor],
    pipeline: NamedDependency[Pipeline],
) -> Response[OrderView]:
    """Answer 201, or 200 with `replayed` if there is one."""
    made = await pipeline.order(actor, deal_id, data.event_id, data.paid)
    view = OrderView(**dict(made.row), replayed=made.replayed)
    return Response(view, status_code=200 if made.replayed else 201)


@get(
    [
        "/leads/{subject_id:uuid}/history",
        "/opportunities/{subject_id:uuid}/history",
    ],
    guards=[requires("opportunities", "read")],
    summary="The steps of a lead or an opportunity",
    tags=["opportunities"],
)
async def deal_history(
    subject_id: FromPath[UUID], pipeline: NamedDependency[Pipeline]
) -> list[StepView]:
    """Oldest first."""
    return [_view(StepView, row) for row in await pipeline.history(subject_id)]


@get(
    "/pipeline/forecast",
    guards=[requires("opportunities", "read")],
    summary="Open deals by month, weighed by their probability",
    tags=["opportunities"],
)
async def forecast(
    pipeline: NamedDependency[Pipeline],
    owner_id: FromQuery[UUID | None] = None,
    event_id: FromQuery[UUID | None] = None,
) -> list[MonthView]:
    """One statement."""
    rows = await pipeline.forecast(owner_id, event_id)
    return [_view(MonthView, row) for row in rows]


@get(
    "/pipeline/outcomes",
    guards=[requires("opportunities", "read")],
    summary="Why deals were won and lost",
    tags=["opportunities"],
)
async def outcomes(
    pipeline: NamedDependency[Pipeline], since: FromQuery[date | None] = None
) -> list[OutcomeView]:
    """The most frequent first."""
    return [_view(OutcomeView, row) for row in await pipeline.outcomes(since)]


@get(
    "/me/tasks",
    guards=[requires("tasks", "read")],
    summary="My open tasks up to some days ahead",
    tags=["tasks"],
)
async def my_tasks(
    me: NamedDependency[Staff],
    clock: NamedDependency[Clock],
    pipeline: NamedDependency[Pipeline],
    days: FromQuery[Days] = 7,
) -> list[TaskView]:
    """The most urgent first; `overdue` are late."""
    rows = await pipeline.due(me.user_id, clock.now() + timedelta(days=days))
    return [_view(TaskView, row) for row in rows]


@get(
    "/me/reminders",
    guards=[staff_required],
    summary="My reminders",
    tags=["tasks"],
)
async def my_reminders(
    me: NamedDependency[Staff], pipeline: NamedDependency[Pipeline]
) -> list[ReminderView]:
    """Those not seen first."""
    return [_view(ReminderView, row) for row in await pipeline.reminders(me.user_id)]


@post(
    "/me/reminders/{reminder_id:uuid}/seen",
    guards=[staff_required],
    status_code=204,
    opt={"idempotent": True},
    summary="I have seen a reminder",
    tags=["tasks"],
)
async def seen(
    reminder_id: FromPath[UUID],
    me: NamedDependency[Staff],
    pipeline: NamedDependency[Pipeline],
) -> None:
    """May come twice."""
    await pipeline.seen(me.user_id, reminder_id)


def _view(kind: Any, row: Any) -> Any:
    return kind(**dict(row))


ROUTES = (
    convert_lead,
    move_deal,
    order_deal,
    deal_history,
    forecast,
    outcomes,
    my_tasks,
    my_reminders,
    seen,
)
