"""The way from a lead to a sale."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    Index,
    Numeric,
)
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import (
    Base,
    between,
    default,
    one_of,
    primary_key,
    reference,
    search_index,
)


class Lead(Base):
    """Interest that may become a sale."""

    __tablename__ = "leads"
    __table_args__ = (
        one_of(
            "lead_status",
            "new",
            "contacted",
            "qualified",
            "proposal",
            "negotiation",
            "closed_won",
            "closed_lost",
        ),
        between("lead_score", 0, 100),
        between("probability_percentage", 0, 100),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
        Index(None, "lead_score", "id"),
    )

    id: Mapped[UUID] = primary_key()
    contact_id: Mapped[UUID | None] = reference("contacts.id", "CASCADE")
    company_id: Mapped[UUID | None] = reference("companies.id", "SET NULL")
    event_id: Mapped[UUID | None] = reference("events.id", "SET NULL", index=False)
    lead_source: Mapped[str]
    lead_status: Mapped[str | None] = default("'new'")
    lead_score: Mapped[int | None] = default("0")
    estimated_value: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    probability_percentage: Mapped[int | None]
    expected_close_date: Mapped[date | None]
    assigned_to: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    budget_range: Mapped[str | None]
    decision_timeline: Mapped[str | None]
    decision_makers: Mapped[list[str] | None]
    pain_points: Mapped[list[str] | None]
    requirements: Mapped[str | None]
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class Opportunity(Base):
    """A deal with a stage and an amount."""

    __tablename__ = "opportunities"
    __table_args__ = (
        one_of(
            "stage",
            "prospecting",
            "qualification",
            "proposal",
            "negotiation",
            "closed_won",
            "closed_lost",
        ),
        between("probability", 0, 100),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
        search_index("opportunities", "name description"),
        Index(None, "expected_close_date", "id"),
    )

    id: Mapped[UUID] = primary_key()
    lead_id: Mapped[UUID | None] = reference("leads.id", "CASCADE")
    contact_id: Mapped[UUID | None] = reference("contacts.id", "CASCADE")
    company_id: Mapped[UUID | None] = reference("companies.id", "SET NULL")
    event_id: Mapped[UUID | None] = reference("events.id", "SET NULL", index=False)
    name: Mapped[str]
    description: Mapped[str | None]
    stage: Mapped[str | None] = default("'prospecting'")
    amount: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    probability: Mapped[int | None]
    expected_close_date: Mapped[date | None]
    actual_close_date: Mapped[date | None]
    sales_methodology: Mapped[str | None]
    competitor: Mapped[str | None]
    win_reason: Mapped[str | None]
    loss_reason: Mapped[str | None]
    assigned_to: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class Interaction(Base):
    """One exchange with a contact."""

    __tablename__ = "interactions"
    __table_args__ = (
        one_of(
            "interaction_type",
            "email",
            "phone",
            "sms",
            "meeting",
            "demo",
            "proposal",
            "follow_up",
            "complaint",
        ),
        one_of("direction", "inbound", "outbound"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
        search_index("interactions", "subject content"),
        Index(None, "occurred_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    contact_id: Mapped[UUID | None] = reference("contacts.id", "CASCADE")
    company_id: Mapped[UUID | None] = reference("companies.id", "SET NULL")
    event_id: Mapped[UUID | None] = reference("events.id", "SET NULL", index=False)
    opportunity_id: Mapped[UUID | None] = reference("opportunities.id", "SET NULL")
    interaction_type: Mapped[str]
    subject: Mapped[str | None]
    content: Mapped[str | None]
    direction: Mapped[str | None]
    scheduled_at: Mapped[datetime | None]
    occurred_at: Mapped[datetime | None] = default("now()")
    duration_minutes: Mapped[int | None]
    outcome: Mapped[str | None]
    next_action: Mapped[str | None]
    next_action_date: Mapped[date | None]
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")
