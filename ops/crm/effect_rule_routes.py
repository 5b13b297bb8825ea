"""Routes of the organiser's rules: what the CRM makes of who came and who did not.

The sync role follows them (`ops/db/sql/effects.sql`); here they are only written. A
rule that is new or changed is also held against those who came before it, by a job.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
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
from ops.crm.pool import CrmPool
from ops.crm.rules import CALL_TIMEOUT_S, RuleTable
from ops.errors import FieldProblem, Unprocessable
from ops.ids import uuid7

TAGS = ["leads"]
AMOUNT_MAX: Final = Decimal("99999999.99")

KEEP_MADE: Final = "DELETE FROM ops.effects WHERE rule_id = $1"
"""Without its note nothing that the rule made is taken back."""
KNOWN: Final = """
SELECT $1::uuid IS NULL OR EXISTS (SELECT FROM events WHERE id = $1) AS event_id,
  $2::uuid IS NULL OR EXISTS (
    SELECT FROM sessions WHERE id = $2 AND event_id = $1) AS session_id,
  $3::uuid IS NULL OR EXISTS (
    SELECT FROM ticket_types WHERE id = $3 AND event_id = $1) AS ticket_type_id,
  $4::uuid IS NULL OR EXISTS (
    SELECT FROM sponsors WHERE id = $4 AND event_id = $1) AS sponsor_id,
  $5::uuid IS NULL OR EXISTS (
    SELECT FROM users WHERE id = $5 AND status = 'active') AS assigned_to
"""
PLAN: Final = """
INSERT INTO ops.jobs AS j (kind, key, event_id, due_at, args)
SELECT 'effect_rules', e.id::text, e.id, now(), '{}' FROM events e
 WHERE e.id = $1 OR ($1::uuid IS NULL
   AND e.status IN ('published', 'live', 'completed')
   AND e.ends_at > now() - interval '3 days'
   AND e.starts_at < now() + interval '30 days')
ON CONFLICT (kind, key) DO UPDATE SET due_at = now(), done_at = NULL, attempts = 0
"""
"""For every event: of those that are on or near; older ones keep what was made then."""

Happened = Literal["attended_event", "attended_session", "left_early", "no_show"]
Action = Literal["lead", "opportunity", "task"]
Priority = Literal["low", "medium", "high", "urgent"]


class EffectRuleBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """When this happened, do that; without `event_id` at every event.

    `minutes_min`: of presence, for those who attended. The owner is `assigned_to`, else
    the sponsor's, else that of the sponsor's company. `lead_score` and `amount` are
    those of a lead or opportunity, `priority` and `due_hours` those of a task.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100, examples=["Booth talk"])]
    happened: Annotated[Happened, Meta(examples=["attended_event"])]
    action: Annotated[Action, Meta(examples=["lead"])]
    event_id: UUID | None = None
    enabled: bool = True
    session_id: UUID | None = None
    ticket_type_id: UUID | None = None
    minutes_min: Annotated[int, Meta(ge=0, le=10_000)] = 0
    sponsor_id: UUID | None = None
    assigned_to: UUID | None = None
    title: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    lead_score: Annotated[int, Meta(ge=0, le=100)] = 0
    amount: Decimal | None = None
    priority: Priority = "medium"
    due_hours: Annotated[int, Meta(ge=0, le=8_760)] = 24


class EffectRuleView(msgspec.Struct):
    """A rule of the organiser."""

    id: UUID
    name: str
    event_id: UUID | None
    enabled: bool
    happened: str
    session_id: UUID | None
    ticket_type_id: UUID | None
    minutes_min: int
    action: str
    sponsor_id: UUID | None
    assigned_to: UUID | None
    title: str | None
    lead_score: int
    amount: Decimal | None
    priority: str
    due_hours: int
    created_at: datetime
    updated_at: datetime


EFFECTS: Final = RuleTable("effect_rules", EffectRuleView, ("happened", "action"))


@get(
    "/effect-rules",
    guards=[requires("leads", "read")],
    summary="What the CRM makes of who came and who did not",
    tags=TAGS,
)
async def list_effect_rules(crm_pool: NamedDependency[CrmPool]) -> list[EffectRuleView]:
    """At most 500."""
    return await EFFECTS.all(crm_pool)


@post(
    "/effect-rules",
    guards=[requires("settings", "write")],
    opt={"idempotent": True},
    summary="Add a rule for who comes or does not",
    tags=TAGS,
)
async def create_effect_rule(
    data: JSONBody[EffectRuleBody],
    actor: NamedDependency[Actor],
    crm_pool: NamedDependency[CrmPool],
    auditor: NamedDependency[Auditor],
) -> EffectRuleView:
    """It holds at once, also for those who came already."""
    return await _save(crm_pool, auditor, actor, uuid7(), data, "create")


@put(
    "/effect-rules/{rule_id:uuid}",
    guards=[requires("settings", "write")],
    summary="Change a rule for who comes or does not",
    tags=TAGS,
)
async def change_effect_rule(
    rule_id: FromPath[UUID],
    data: JSONBody[EffectRuleBody],
    actor: NamedDependency[Actor],
    crm_pool: NamedDependency[CrmPool],
    auditor: NamedDependency[Auditor],
) -> EffectRuleView:
    """What it made of people for whom it does not hold any more goes, if untouched."""
    await EFFECTS.must_have(crm_pool, rule_id)
    return await _save(crm_pool, auditor, actor, rule_id, data, "update")


@delete(
    "/effect-rules/{rule_id:uuid}",
    guards=[requires("settings", "write")],
    summary="Forget a rule for who comes or does not",
    tags=TAGS,
)
async def delete_effect_rule(
    rule_id: FromPath[UUID],
    actor: NamedDependency[Actor],
    crm_pool: NamedDependency[CrmPool],
    auditor: NamedDependency[Auditor],
) -> None:
    """What it made stays."""
    async with crm_pool.pool.acquire() as db, db.transaction():
        await EFFECTS.forget(db, auditor, actor, rule_id)
        await db.execute(KEEP_MADE, rule_id, timeout=CALL_TIMEOUT_S)


async def _save(
    crm_pool: CrmPool,
    auditor: Auditor,
    actor: Actor,
    rule_id: UUID,
    data: EffectRuleBody,
    verb: str,
) -> EffectRuleView:
    async with crm_pool.pool.acquire() as db, db.transaction():
        await _check(db, data)
        saved = await EFFECTS.save(db, auditor, actor, rule_id, data, verb)
        await db.execute(PLAN, data.event_id, timeout=CALL_TIMEOUT_S)
    return saved


async def _check(db: Any, data: EffectRuleBody) -> None:
    problems = []
    if data.happened == "attended_session" and data.session_id is None:
        problems.append(FieldProblem("session_id", "missing", "Which session?"))
    amount = data.amount
    if amount is not None and not (amount.is_finite() and 0 <= amount <= AMOUNT_MAX):
        problems.append(FieldProblem("amount", "not_allowed", "0 to 99999999.99."))
    row = await db.fetchrow(
        KNOWN,
        data.event_id,
        data.session_id,
        data.ticket_type_id,
        data.sponsor_id,
        data.assigned_to,
        timeout=CALL_TIMEOUT_S,
    )
    problems += [
        FieldProblem(name, "unknown_reference", "There is no such one at this event.")
        for name, known in dict(row).items()
        if not known
    ]
    if problems:
        raise Unprocessable("The rule names what is not there.", errors=problems)


ROUTES = (
    list_effect_rules,
    create_effect_rule,
    change_effect_rule,
    delete_effect_rule,
)
