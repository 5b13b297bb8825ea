"""Things and people at the doors: devices, how they are enrolled, operators."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Index,
    SmallInteger,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, between, default, number, one_of, primary_key, reference


class Device(Base):
    """A paired scanner, kiosk or turnstile; only the hash of its token is kept."""

    __tablename__ = "devices"
    __table_args__ = (
        one_of("profile", "scan", "kiosk", "lead", "turnstile"),
        one_of("state", "pairing", "active", "revoked"),
        one_of("direction", "in", "out", "both"),
        between("battery", 0, 100),
        Index(None, "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    no: Mapped[int] = number()
    name: Mapped[str]
    profile: Mapped[str] = default("'scan'")
    state: Mapped[str] = default("'pairing'")
    token_hash: Mapped[bytes | None] = mapped_column(unique=True)
    pairing_code_hash: Mapped[bytes | None] = mapped_column(index=True)
    pairing_expires_at: Mapped[datetime | None]
    hardware: Mapped[str | None]
    software: Mapped[str | None]
    gate_id: Mapped[UUID | None] = reference("ops.gates.id", "SET NULL")
    direction: Mapped[str | None]
    session_id: Mapped[UUID | None] = reference("sessions.id", "SET NULL")
    operator_id: Mapped[UUID | None] = reference("ops.operators.id", "SET NULL")
    returns_to_id: Mapped[UUID | None] = reference("ops.operators.id", "SET NULL")
    enrolment_id: Mapped[UUID | None] = reference("ops.enrolments.id", "SET NULL")
    sponsor_id: Mapped[UUID | None] = reference("sponsors.id", "CASCADE")
    locked_at: Mapped[datetime | None]
    battery: Mapped[int | None] = mapped_column(SmallInteger)
    pending: Mapped[int] = default("0")
    clock_skew_ms: Mapped[int | None]
    last_seen_at: Mapped[datetime | None]
    paired_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    created_at: Mapped[datetime] = default("now()")


class DeviceEvent(Base):
    """That a device serves an event, there at this gate."""

    __tablename__ = "device_events"
    __table_args__ = ({"schema": "ops"},)

    device_id: Mapped[UUID] = reference(
        "ops.devices.id", "CASCADE", index=False, primary_key=True
    )
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", primary_key=True)
    gate_id: Mapped[UUID | None] = reference("ops.gates.id", "SET NULL")


class Enrolment(Base):
    """A code that pairs up to `max_devices` devices."""

    __tablename__ = "enrolments"
    __table_args__ = (
        one_of("profile", "scan", "kiosk", "lead", "turnstile"),
        Index(None, "event_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    gate_id: Mapped[UUID | None] = reference("ops.gates.id", "SET NULL")
    sponsor_id: Mapped[UUID | None] = reference("sponsors.id", "CASCADE")
    profile: Mapped[str] = default("'scan'")
    code_hash: Mapped[bytes] = mapped_column(unique=True)
    max_devices: Mapped[int] = default("1")
    used: Mapped[int] = default("0")
    valid_until: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_at: Mapped[datetime] = default("now()")


class Operator(Base):
    """A steward or supervisor, who signs on at devices with a PIN or a badge."""

    __tablename__ = "operators"
    __table_args__ = (
        one_of("role", "steward", "supervisor", "door_manager", "event_manager"),
        Index(None, "event_id", "badge_code_hash"),
        Index(None, "event_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    no: Mapped[int] = number()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    name: Mapped[str]
    agency: Mapped[str | None]
    pin_hash: Mapped[bytes | None]
    badge_code_hash: Mapped[bytes | None]
    role: Mapped[str] = default("'steward'")
    gate_id: Mapped[UUID | None] = reference("ops.gates.id", "SET NULL")
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]
    failed_pins: Mapped[int] = default("0")
    locked_until: Mapped[datetime | None]
    language: Mapped[str] = default("'en'")
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    created_at: Mapped[datetime] = default("now()")
