"""What is watched at an event: rules, alerts, forecasts, walks, shifts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, between, default, primary_key, reference


class AlertRule(Base):
    """What an event's organisers set otherwise than the catalogue says."""

    __tablename__ = "alert_rules"
    __table_args__ = (
        between("for_s", 0, 86400),
        between("clear_s", 0, 86400),
        {"schema": "ops"},
    )

    event_id: Mapped[UUID] = reference(
        "events.id", "CASCADE", index=False, primary_key=True
    )
    rule: Mapped[str] = mapped_column(primary_key=True)
    enabled: Mapped[bool] = default("true")
    threshold: Mapped[float] = mapped_column(Double())
    clear_at: Mapped[float] = mapped_column(Double())
    for_s: Mapped[int]
    clear_s: Mapped[int]
    changed_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    changed_at: Mapped[datetime] = default("now()")


class Alert(Base):
    """An alert, open until `cleared_at`; one open at most a rule and subject."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index(None, "event_id", "raised_at", "id"),
        Index(
            "uq_alerts_open",
            "event_id",
            "rule",
            "subject",
            unique=True,
            postgresql_where=text("cleared_at IS NULL"),
        ),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    rule: Mapped[str]
    subject: Mapped[str]
    value: Mapped[float] = mapped_column(Double())
    args: Mapped[dict[str, Any]] = default("'{}'")
    gate_id: Mapped[UUID | None]
    area_id: Mapped[UUID | None]
    device_id: Mapped[UUID | None]
    operator_id: Mapped[UUID | None]
    ticket_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    raised_at: Mapped[datetime] = default("now()")
    cleared_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    note: Mapped[str | None]


class Watch(Base):
    """What the watcher remembers between two looks; the row is the claim."""

    __tablename__ = "watches"
    __table_args__ = ({"schema": "ops"},)

    event_id: Mapped[UUID] = reference(
        "events.id", "CASCADE", index=False, primary_key=True
    )
    state: Mapped[dict[str, Any]] = default("'{}'")
    looked_at: Mapped[datetime | None]
    patterns_at: Mapped[datetime | None]


class GateWalk(Base):
    """How long a person walks between two gates; the lower id stands first."""

    __tablename__ = "gate_walks"
    __table_args__ = (
        CheckConstraint("low_gate_id < high_gate_id", name="order"),
        between("walk_s", 0, 86400),
        {"schema": "ops"},
    )

    event_id: Mapped[UUID] = reference(
        "events.id", "CASCADE", index=False, primary_key=True
    )
    low_gate_id: Mapped[UUID] = reference("ops.gates.id", "CASCADE", primary_key=True)
    high_gate_id: Mapped[UUID] = reference("ops.gates.id", "CASCADE", primary_key=True)
    walk_s: Mapped[int]


class Forecast(Base):
    """The newest forecast of an event."""

    __tablename__ = "forecasts"
    __table_args__ = ({"schema": "ops"},)

    event_id: Mapped[UUID] = reference(
        "events.id", "CASCADE", index=False, primary_key=True
    )
    made_at: Mapped[datetime | None]
    data: Mapped[dict[str, Any]] = default("'{}'")


class Shift(Base):
    """Who should work where, from when to when."""

    __tablename__ = "shifts"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index(None, "event_id", "starts_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    operator_id: Mapped[UUID] = reference("ops.operators.id", "CASCADE")
    gate_id: Mapped[UUID | None] = reference("ops.gates.id", "SET NULL")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    note: Mapped[str | None]
    created_at: Mapped[datetime] = default("now()")
