"""Calls for help, incidents, and what sponsors scan: the people side of the fleet."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, between, default, one_of, primary_key, reference


class HelpCall(Base):
    """A steward's call; the id is made by the device, so that it may come twice.

    `called_at` is the device's time, `received_at` ours.
    """

    __tablename__ = "help_calls"
    __table_args__ = (
        one_of("kind", "supervisor", "security", "medical", "technical", "queue"),
        one_of("queue", "none", "short", "long", "over_barrier"),
        Index(None, "event_id", "received_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    kind: Mapped[str]
    queue: Mapped[str | None]
    note: Mapped[str | None]
    gate_id: Mapped[UUID | None] = reference("ops.gates.id", "SET NULL")
    device_id: Mapped[UUID | None] = reference("ops.devices.id", "SET NULL")
    operator_id: Mapped[UUID | None] = reference("ops.operators.id", "SET NULL")
    called_at: Mapped[datetime]
    received_at: Mapped[datetime] = default("now()")
    seen_at: Mapped[datetime | None]
    seen_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = reference("users.id", "SET NULL")


class Incident(Base):
    """Something that happened and is looked after until it is closed."""

    __tablename__ = "incidents"
    __table_args__ = (
        one_of(
            "kind",
            "medical",
            "security",
            "lost_child",
            "technical",
            "complaint",
            "ejection",
            "other",
        ),
        one_of("state", "open", "closed"),
        Index(None, "event_id", "started_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    kind: Mapped[str]
    state: Mapped[str] = default("'open'")
    summary: Mapped[str]
    owner: Mapped[str | None]
    area_id: Mapped[UUID | None] = reference("ops.areas.id", "SET NULL")
    gate_id: Mapped[UUID | None] = reference("ops.gates.id", "SET NULL")
    ticket_id: Mapped[UUID | None] = reference("tickets.id", "SET NULL")
    device_id: Mapped[UUID | None] = reference("ops.devices.id", "SET NULL")
    operator_id: Mapped[UUID | None] = reference("ops.operators.id", "SET NULL")
    reported_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    started_at: Mapped[datetime] = default("now()")
    closed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = default("now()")


class IncidentAction(Base):
    """One thing that was done about an incident; never changed."""

    __tablename__ = "incident_actions"
    __table_args__ = (
        Index(None, "incident_id", "at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    incident_id: Mapped[UUID] = reference("ops.incidents.id", "CASCADE", index=False)
    at: Mapped[datetime] = default("now()")
    text: Mapped[str]
    user_id: Mapped[UUID | None] = reference("users.id", "SET NULL")
    operator_id: Mapped[UUID | None] = reference("ops.operators.id", "SET NULL")


class SponsorLead(Base):
    """One person at one sponsor's stand, however often; only what may be shared."""

    __tablename__ = "sponsor_leads"
    __table_args__ = (
        UniqueConstraint("sponsor_id", "attendee_id"),
        between("rating", 1, 5),
        Index(None, "sponsor_id", "last_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE")
    sponsor_id: Mapped[UUID] = reference("sponsors.id", "CASCADE", index=False)
    attendee_id: Mapped[UUID] = reference("attendees.id", "CASCADE")
    visits: Mapped[int] = default("1")
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    answers: Mapped[dict[str, Any]] = default("'{}'")
    notes: Mapped[str | None]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    created_at: Mapped[datetime] = default("now()")


class LeadScan(Base):
    """One reading of a badge at a stand; without a lead: counted, nobody named."""

    __tablename__ = "lead_scans"
    __table_args__ = (
        one_of("outcome", "lead", "again", "opted_out", "unknown"),
        Index(None, "sponsor_id", "at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = reference("events.id", "CASCADE")
    sponsor_id: Mapped[UUID] = reference("sponsors.id", "CASCADE", index=False)
    lead_id: Mapped[UUID | None] = reference("ops.sponsor_leads.id", "SET NULL")
    device_id: Mapped[UUID | None] = reference("ops.devices.id", "SET NULL")
    outcome: Mapped[str]
    at: Mapped[datetime]
    created_at: Mapped[datetime] = default("now()")
