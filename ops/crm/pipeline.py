"""The way of a deal: lead, opportunity, order; its forecast; tasks that are due.

A conversion is done once: it locks its row, and a second call answers what the first
one made (`replayed`). The history of stages is written by triggers, whoever moves a
card (`ops.stage_changes`). A stage has a probability of its own, which a deal may
overrule; the forecast weighs by it.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor, Entry, Person
from ops.clock import Clock
from ops.crm.closing import CLOSED, PROBABILITIES, close_lead, reason_required, today
from ops.crm.pool import CrmPool
from ops.errors import Conflict, FieldProblem, NotFound, Unprocessable
from ops.ids import uuid7

CALL_TIMEOUT_S: Final = 10.0

Stage = Literal[
    "prospecting",
    "qualification",
    "proposal",
    "negotiation",
    "closed_won",
    "closed_lost",
]

LEAD: Final = """
SELECT l.*, trim(concat(c.first_name, ' ', c.last_name)) AS person, k.name AS company
  FROM leads l LEFT JOIN contacts c ON c.id = l.contact_id
  LEFT JOIN companies k ON k.id = l.company_id WHERE l.id = $1 FOR UPDATE OF l
"""
OF_LEAD: Final = """
SELECT id, stage, amount, created_at FROM opportunities WHERE lead_id = $1
 ORDER BY created_at, id LIMIT 1
"""
OPEN_DEAL: Final = """
INSERT INTO opportunities (id, lead_id, contact_id, company_id, event_id, name, stage,
                           amount, probability, expected_close_date, assigned_to,
                           created_by)
VALUES ($1, $2, $3, $4, $5, $6, 'qualification', $7, $8, $9, $10, $11)
RETURNING id, stage, amount, created_at
"""
QUALIFY: Final = """
UPDATE leads SET lead_status = 'qualified'
 WHERE id = $1 AND lead_status IN ('new', 'contacted')
"""
DEAL: Final = "SELECT * FROM opportunities WHERE id = $1 FOR UPDATE"
MOVE: Final = """
UPDATE opportunities
   SET stage = $2, probability = $3, win_reason = coalesce($4, win_reason),
       loss_reason = coalesce($5, loss_reason),
       competitor = coalesce($6, competitor), actual_close_date = $7
 WHERE id = $1
RETURNING id, stage, amount, probability, actual_close_date
"""
OF_DEAL: Final = """
SELECT id, order_number, status, total, currency FROM orders WHERE opportunity_id = $1
"""
EVENT: Final = "SELECT id, currency FROM events WHERE id = $1"
ORDER: Final = """
INSERT INTO orders (id, event_id, contact_id, opportunity_id, order_number, currency,
                    subtotal, total, amount_paid, status, source, placed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, 'crm', $10)
RETURNING id, order_number, status, total, currency
"""
HISTORY: Final = """
SELECT s.from_stage, s.to_stage, s.probability, s.amount, s.changed_by, s.at,
       trim(concat(u.first_name, ' ', u.last_name)) AS changed_by_name
  FROM ops.stage_changes s LEFT JOIN users u ON u.id = s.changed_by
 WHERE s.subject_id = $1 ORDER BY s.at, s.id LIMIT 1000
"""
FORECAST: Final = """
SELECT date_trunc('month', o.expected_close_date)::date AS month, count(*) AS deals,
       round(coalesce(sum(o.amount), 0), 2) AS amount,
       round(coalesce(sum(o.amount * coalesce(o.probability,
           ($1::jsonb ->> o.stage)::int) / 100), 0), 2) AS weighted
  FROM opportunities o
 WHERE o.stage NOT IN ('closed_won', 'closed_lost')
   AND ($2::uuid IS NULL OR o.assigned_to = $2)
   AND ($3::uuid IS NULL OR o.event_id = $3)
 GROUP BY 1 ORDER BY 1 NULLS LAST LIMIT 120
"""
OUTCOMES: Final = """
SELECT o.stage, coalesce(CASE o.stage WHEN 'closed_won' THEN o.win_reason
           ELSE o.loss_reason END, '') AS reason, count(*) AS deals,
       round(coalesce(sum(o.amount), 0), 2) AS amount
  FROM opportunities o
 WHERE o.stage IN ('closed_won', 'closed_lost')
   AND ($1::date IS NULL OR o.actual_close_date >= $1)
 GROUP BY 1, 2 ORDER BY 3 DESC, 2 LIMIT 200
"""
DUE: Final = """
SELECT t.id, t.title, t.task_type, t.priority, t.status, t.due_date, t.reminder_date,
       t.contact_id, t.company_id, t.opportunity_id, t.event_id, t.assigned_to,
       trim(concat(c.first_name, ' ', c.last_name)) AS contact,
       t.due_date < $2 AS overdue
  FROM tasks t LEFT JOIN contacts c ON c.id = t.contact_id
 WHERE t.assigned_to = $1 AND t.status IN ('pending', 'in_progress')
   AND (t.due_date IS NULL OR t.due_date < $3)
 ORDER BY t.due_date NULLS LAST, t.id LIMIT 200
"""
REMINDERS: Final = """
SELECT r.id, r.task_id, t.title, t.due_date, r.due_at, r.created_at, r.seen_at
  FROM ops.reminders r JOIN tasks t ON t.id = r.task_id
 WHERE r.user_id = $1 ORDER BY r.seen_at IS NOT NULL, r.created_at DESC, r.id LIMIT 100
"""
SEEN: Final = """
UPDATE ops.reminders SET seen_at = coalesce(seen_at, now())
 WHERE id = $1 AND user_id = $2 RETURNING id
"""


class Made(NamedTuple):
    """What a conversion gave; `replayed` if it was there before."""

    row: Any
    replayed: bool


class Pipeline:
    """Converts, moves and sums up."""

    def __init__(self, database: CrmPool, auditor: Auditor, clock: Clock) -> None:
        self._database, self._auditor, self._clock = database, auditor, clock

    async def convert_lead(self, actor: Actor, lead_id: UUID, name: str | None) -> Made:
        """Make an opportunity of a lead, once.

        Raises:
            NotFound: no such lead.
            Conflict: the lead is lost.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            await self._auditor.act_as(db, actor)
            lead = await db.fetchrow(LEAD, lead_id, timeout=CALL_TIMEOUT_S)
            if lead is None:
                raise NotFound("There is no such lead.")
            there = await db.fetchrow(OF_LEAD, lead_id, timeout=CALL_TIMEOUT_S)
            if there is not None:
                return Made(there, True)
            if lead["lead_status"] == "closed_lost":
                raise Conflict("This lead is lost.", code="lead_lost")
            probability = lead["probability_percentage"]
            row = await db.fetchrow(
                OPEN_DEAL,
                uuid7(),
                lead_id,
                lead["contact_id"],
                lead["company_id"],
                lead["event_id"],
                name or lead["company"] or lead["person"] or "Lead",
                lead["estimated_value"],
                PROBABILITIES["qualification"] if probability is None else probability,
                lead["expected_close_date"],
                lead["assigned_to"],
                actor.id if actor.kind == "user" else None,
                timeout=CALL_TIMEOUT_S,
            )
            await db.execute(QUALIFY, lead_id, timeout=CALL_TIMEOUT_S)
            await self._told(db, actor, "leads.convert", "leads", lead, row)
            return Made(row, False)

    async def move(
        self,
        actor: Actor,
        deal_id: UUID,
        stage: Stage,
        *,
        probability: int | None = None,
        reason: str | None = None,
        competitor: str | None = None,
    ) -> Any:
        """Put an opportunity into a stage; a closed one gets its day and its reason.

        Raises:
            NotFound: no such opportunity.
            Unprocessable: `reason_required` for a lost one.
        """
        if stage == "closed_lost" and not reason:
            raise reason_required("reason")
        async with self._database.pool.acquire() as db, db.transaction():
            await self._auditor.act_as(db, actor)
            deal = await db.fetchrow(DEAL, deal_id, timeout=CALL_TIMEOUT_S)
            if deal is None:
                raise NotFound("There is no such opportunity.")
            return await self._move(
                db, actor, deal, stage, probability, reason, competitor
            )

    async def _move(
        self,
        db: Any,
        actor: Actor,
        deal: Any,
        stage: str,
        probability: int | None,
        reason: str | None,
        competitor: str | None,
    ) -> Any:
        closed = stage in CLOSED
        row = await db.fetchrow(
            MOVE,
            deal["id"],
            stage,
            PROBABILITIES[stage] if closed or probability is None else probability,
            reason if stage == "closed_won" else None,
            reason if stage == "closed_lost" else None,
            competitor,
            await today(db, self._clock, deal["event_id"]) if closed else None,
            timeout=CALL_TIMEOUT_S,
        )
        if closed and deal["lead_id"]:
            await close_lead(db, deal["lead_id"], stage)
        await self._told(db, actor, "opportunities.move", "opportunities", deal, row)
        return row

    async def order(
        self, actor: Actor, deal_id: UUID, event_id: UUID | None, paid: bool
    ) -> Made:
        """Win an opportunity: an order for its contact and amount, once.

        Raises:
            NotFound: no such opportunity.
            Conflict: it was lost.
            Unprocessable: it has no event, and none is named.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            await self._auditor.act_as(db, actor)
            deal = await db.fetchrow(DEAL, deal_id, timeout=CALL_TIMEOUT_S)
            if deal is None:
                raise NotFound("There is no such opportunity.")
            there = await db.fetchrow(OF_DEAL, deal_id, timeout=CALL_TIMEOUT_S)
            if there is not None:
                return Made(there, True)
            if deal["stage"] == "closed_lost":
                raise Conflict("This opportunity is lost.", code="opportunity_lost")
            event = await db.fetchrow(
                EVENT, event_id or deal["event_id"], timeout=CALL_TIMEOUT_S
            )
            if event is None:
                problem = FieldProblem("event_id", "event_required", "Name an event.")
                raise Unprocessable(problem.detail, code=problem.code, errors=[problem])
            total = deal["amount"] or Decimal(0)
            order_id = uuid7()
            row = await db.fetchrow(
                ORDER,
                order_id,
                event["id"],
                deal["contact_id"],
                deal_id,
                f"CRM-{order_id.hex[-12:].upper()}",
                event["currency"],
                total,
                total if paid else Decimal(0),
                "paid" if paid else "pending",
                self._clock.now(),
                timeout=CALL_TIMEOUT_S,
            )
            await self._move(db, actor, deal, "closed_won", None, None, None)
            await self._told(
                db, actor, "opportunities.order", "opportunities", deal, row
            )
            return Made(row, False)

    async def history(self, subject_id: UUID) -> list[Any]:
        """The steps of a lead or an opportunity, oldest first."""
        return list(
            await self._database.pool.fetch(HISTORY, subject_id, timeout=CALL_TIMEOUT_S)
        )

    async def forecast(self, owner: UUID | None, event_id: UUID | None) -> list[Any]:
        """Open deals by the month they are expected to close, weighed."""
        return list(
            await self._database.pool.fetch(
                FORECAST, PROBABILITIES, owner, event_id, timeout=CALL_TIMEOUT_S
            )
        )

    async def outcomes(self, since: date | None) -> list[Any]:
        """Why deals were won and lost."""
        return list(
            await self._database.pool.fetch(OUTCOMES, since, timeout=CALL_TIMEOUT_S)
        )

    async def due(self, user_id: UUID, until: datetime) -> list[Any]:
        """A person's open tasks up to a moment, the most urgent first."""
        return list(
            await self._database.pool.fetch(
                DUE, user_id, self._clock.now(), until, timeout=CALL_TIMEOUT_S
            )
        )

    async def reminders(self, user_id: UUID) -> list[Any]:
        """A person's reminders, those not seen first."""
        return list(
            await self._database.pool.fetch(REMINDERS, user_id, timeout=CALL_TIMEOUT_S)
        )

    async def seen(self, user_id: UUID, reminder_id: UUID) -> None:
        """Say that a reminder was seen.

        Raises:
            NotFound: not a reminder of this person.
        """
        if not await self._database.pool.fetchval(
            SEEN, reminder_id, user_id, timeout=CALL_TIMEOUT_S
        ):
            raise NotFound("There is no such reminder.")

    async def _told(
        self, db: Any, actor: Actor, action: str, kind: str, before: Any, after: Any
    ) -> None:
        person = before["contact_id"]
        await self._auditor.record(
            db,
            Entry(
                actor,
                action,
                kind,
                before["id"],
                before["event_id"],
                after={"made": str(after["id"])},
                person=Person("contact", person) if person else None,
            ),
        )
