"""Emergencies: the steps that were taken, the frozen roll-call, who is safe.

The frozen rows carry ids and no names: who is erased afterwards is erased here too.
Who did what stands in the log; the other tables have no foreign keys to people, because
what was true at the freeze must outlive a deleted device or operator.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, default, primary_key, reference


class EmergencySettings(Base):
    """How an event handles an emergency: a second person, and where people gather."""

    __tablename__ = "emergency_settings"
    __table_args__ = ({"schema": "ops"},)

    event_id: Mapped[UUID] = reference(
        "events.id", "CASCADE", index=False, primary_key=True
    )
    two_people: Mapped[bool] = default("false")
    assembly_points: Mapped[list[str]] = default("'{}'")
    updated_at: Mapped[datetime] = default("now()")


class Emergency(Base):
    """One emergency or drill; at most one of an event is open."""

    __tablename__ = "emergencies"
    __table_args__ = (
        Index(None, "event_id", "started_at", "id"),
        Index(
            "uq_emergencies_open",
            "event_id",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    drill: Mapped[bool]
    reason: Mapped[str]
    area_id: Mapped[UUID | None]
    gate_id: Mapped[UUID | None]
    two_people: Mapped[bool] = default("false")
    started_at: Mapped[datetime]
    started_by: Mapped[UUID | None]
    started_operator_id: Mapped[UUID | None]
    staff_announcement_id: Mapped[UUID | None]
    stop_id: Mapped[UUID | None]
    stopped_at: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    announcement_id: Mapped[UUID | None]
    cleared_at: Mapped[datetime | None]
    clear_announcement_id: Mapped[UUID | None]
    reopened_at: Mapped[datetime | None]
    readmitted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class EmergencyPerson(Base):
    """Somebody who was inside at the freeze, in the innermost place."""

    __tablename__ = "emergency_people"
    __table_args__ = ({"schema": "ops"},)

    emergency_id: Mapped[UUID] = reference(
        "ops.emergencies.id", "CASCADE", index=False, primary_key=True
    )
    ticket_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_no: Mapped[int] = mapped_column(primary_key=True)
    attendee_id: Mapped[UUID | None] = mapped_column(index=True)
    access_class: Mapped[str]
    area_id: Mapped[UUID | None]
    entered_at: Mapped[datetime | None]
    safe_at: Mapped[datetime | None]
    safe_by: Mapped[UUID | None]
    safe_operator_id: Mapped[UUID | None]


class EmergencyArea(Base):
    """A place at the freeze; `inside` people of the list are in no inner place."""

    __tablename__ = "emergency_areas"
    __table_args__ = ({"schema": "ops"},)

    emergency_id: Mapped[UUID] = reference(
        "ops.emergencies.id", "CASCADE", index=False, primary_key=True
    )
    area_id: Mapped[UUID] = mapped_column(primary_key=True)
    inside: Mapped[int]
    counted: Mapped[int]
    disputed: Mapped[int]
    clear_at: Mapped[datetime | None]
    clear_by: Mapped[UUID | None]
    clear_operator_id: Mapped[UUID | None]


class EmergencyStaff(Base):
    """An operator who was signed on at the freeze."""

    __tablename__ = "emergency_staff"
    __table_args__ = ({"schema": "ops"},)

    emergency_id: Mapped[UUID] = reference(
        "ops.emergencies.id", "CASCADE", index=False, primary_key=True
    )
    operator_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID | None]
    gate_id: Mapped[UUID | None]
    safe_at: Mapped[datetime | None]
    safe_by: Mapped[UUID | None]
    safe_operator_id: Mapped[UUID | None]


class EmergencyCount(Base):
    """Heads counted at an assembly point by taps; the id is made by who taps."""

    __tablename__ = "emergency_counts"
    __table_args__ = (Index(None, "emergency_id", "place"), {"schema": "ops"})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    emergency_id: Mapped[UUID] = reference("ops.emergencies.id", "CASCADE", index=False)
    place: Mapped[str]
    delta: Mapped[int]
    at: Mapped[datetime]
    device_id: Mapped[UUID | None]
    operator_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]


class EmergencyLine(Base):
    """What was done, by whom, when: the report's times."""

    __tablename__ = "emergency_log"
    __table_args__ = (Index(None, "emergency_id", "id"), {"schema": "ops"})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    emergency_id: Mapped[UUID] = reference("ops.emergencies.id", "CASCADE", index=False)
    at: Mapped[datetime]
    what: Mapped[str]
    detail: Mapped[dict[str, Any]] = default("'{}'")
    user_id: Mapped[UUID | None]
    operator_id: Mapped[UUID | None]
    device_id: Mapped[UUID | None]
