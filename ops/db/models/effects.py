"""Rules and records of what the door does to the CRM; jobs that are due."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, between, default, one_of, primary_key, reference


class EffectRule(Base):
    """What the organiser wants made of what happened; `event_id` null: every event."""

    __tablename__ = "effect_rules"
    __table_args__ = (
        one_of(
            "happened", "attended_event", "attended_session", "left_early", "no_show"
        ),
        one_of("action", "lead", "opportunity", "task"),
        one_of("priority", "low", "medium", "high", "urgent"),
        between("lead_score", 0, 100),
        CheckConstraint("minutes_min >= 0", name="minutes_min"),
        CheckConstraint(
            "happened <> 'attended_session' OR session_id IS NOT NULL", name="session"
        ),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    name: Mapped[str]
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE", index=False)
    enabled: Mapped[bool] = default("true")
    happened: Mapped[str]
    session_id: Mapped[UUID | None] = reference("sessions.id", "CASCADE")
    ticket_type_id: Mapped[UUID | None] = reference("ticket_types.id", "CASCADE")
    minutes_min: Mapped[int] = default("0")
    action: Mapped[str]
    sponsor_id: Mapped[UUID | None] = reference("sponsors.id", "CASCADE")
    assigned_to: Mapped[UUID | None] = reference("users.id", "SET NULL")
    title: Mapped[str | None]
    lead_score: Mapped[int] = default("0")
    amount: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    priority: Mapped[str] = default("'medium'")
    due_hours: Mapped[int] = default("24")
    created_at: Mapped[datetime] = default("now()")
    updated_at: Mapped[datetime] = default("now()")


class Effect(Base):
    """What was made in the CRM of an attendee's visits, so that it is made once and
    can be taken back; no references, for it outlives what it names."""

    __tablename__ = "effects"
    __table_args__ = (Index(None, "event_id", "effect"), {"schema": "ops"})

    attendee_id: Mapped[UUID] = mapped_column(primary_key=True)
    effect: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID]
    rule_id: Mapped[UUID | None]
    target_id: Mapped[UUID]
    made_at: Mapped[datetime] = default("now()")


class Job(Base):
    """A duty that is due at a time, once or every so often, claimed by one process."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("every_seconds > 0", name="every_seconds"),
        Index("ix_jobs_due_at", "due_at", postgresql_where=text("done_at IS NULL")),
        {"schema": "ops"},
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE")
    due_at: Mapped[datetime]
    args: Mapped[dict[str, Any]] = default("'{}'")
    every_seconds: Mapped[int | None]
    until: Mapped[datetime | None]
    attempts: Mapped[int] = default("0")
    last_error: Mapped[str | None]
    done_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = default("now()")
