"""The network's absence: what devices carry, what they may do alone, what came late."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Identity,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, Xid8, default, one_of, primary_key, reference


class OfflineSetting(Base):
    """How devices of an event decide without the server; no row means the defaults."""

    __tablename__ = "offline_settings"
    __table_args__ = (
        one_of("mode", "strict", "bounded", "open"),
        CheckConstraint("budget BETWEEN 0 AND 100000", name="budget"),
        CheckConstraint("package_hours BETWEEN 1 AND 168", name="package_hours"),
        {"schema": "ops"},
    )

    event_id: Mapped[UUID] = reference(
        "events.id", "CASCADE", index=False, primary_key=True
    )
    mode: Mapped[str] = default("'bounded'")
    budget: Mapped[int] = default("50")
    package_hours: Mapped[int] = default("24")
    changed_at: Mapped[datetime] = default("now()")
    changed_by: Mapped[UUID | None] = reference("users.id", "SET NULL")


class OfflineDevice(Base):
    """What a device may do alone at an event, and what it said that it did.

    `granted` and `spent` only grow: admissions beyond leases that it was allowed in
    all, and those that it reported. What is between them is the risk it carries.
    `mode` is what its package says, whatever the event's settings say by now.
    """

    __tablename__ = "offline_devices"
    __table_args__ = (
        one_of("mode", "strict", "bounded", "open"),
        CheckConstraint("granted >= 0 AND spent >= 0", name="budget"),
        {"schema": "ops"},
    )

    event_id: Mapped[UUID] = reference(
        "events.id", "CASCADE", index=False, primary_key=True
    )
    device_id: Mapped[UUID] = reference("ops.devices.id", "CASCADE", primary_key=True)
    mode: Mapped[str] = default("'bounded'")
    granted: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    spent: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    package: Mapped[str | None]
    package_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = default("'{}'")
    counted_at: Mapped[datetime | None]


class Settling(Base):
    """A ticket whose uploads may explain a conflict of it in this scope."""

    __tablename__ = "settling"
    __table_args__ = ({"schema": "ops"},)

    ticket_id: Mapped[UUID] = reference(
        "tickets.id", "CASCADE", index=False, primary_key=True
    )
    scope_id: Mapped[UUID] = reference("ops.scopes.id", "CASCADE", primary_key=True)
    event_id: Mapped[UUID] = reference("events.id", "CASCADE")
    asked_at: Mapped[datetime] = default("now()")


class Lease(Base):
    """A ticket that one device may admit without the server; nobody else may.

    `xid` is the transaction of the last change, by which deltas find it.
    """

    __tablename__ = "leases"
    __table_args__ = (
        one_of("state", "held", "released", "used", "ended"),
        Index(None, "event_id", "xid"),
        Index(None, "device_id", "state"),
        {"schema": "ops"},
    )

    ticket_id: Mapped[UUID] = reference(
        "tickets.id", "CASCADE", index=False, primary_key=True
    )
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    device_id: Mapped[UUID] = reference("ops.devices.id", "CASCADE", index=False)
    state: Mapped[str] = default("'held'")
    granted_at: Mapped[datetime] = default("now()")
    ended_at: Mapped[datetime | None]
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))


class LeaseEnding(Base):
    """A lease that a person ended without its device; counts until it is settled."""

    __tablename__ = "lease_endings"
    __table_args__ = (
        Index(None, "event_id", "ended_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    ticket_id: Mapped[UUID] = reference("tickets.id", "CASCADE")
    device_id: Mapped[UUID] = reference("ops.devices.id", "CASCADE")
    reason: Mapped[str]
    ended_at: Mapped[datetime] = default("now()")
    ended_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    settled_at: Mapped[datetime | None]


class OfflineShare(Base):
    """What a device may take alone of a place with a limit, or hand out of an item.

    As its newest package says; while it is away, so many more may be taken.
    """

    __tablename__ = "offline_shares"
    __table_args__ = (
        one_of("kind", "scope", "area", "item"),
        CheckConstraint("share >= 0", name="share"),
        {"schema": "ops"},
    )

    device_id: Mapped[UUID] = reference(
        "ops.devices.id", "CASCADE", index=False, primary_key=True
    )
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", primary_key=True)
    of_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    share: Mapped[int]
    given_at: Mapped[datetime] = default("now()")


class OfflineChange(Base):
    """A ticket that changed, for deltas: never read by id, always by transaction."""

    __tablename__ = "offline_changes"
    __table_args__ = (
        Index(None, "event_id", "xid"),
        Index(None, "at"),
        {"schema": "ops"},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    event_id: Mapped[UUID]
    ticket_id: Mapped[UUID]
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    at: Mapped[datetime] = default("now()")


class OfflineKey(Base):
    """The key that seals the names of a shift's packages, itself sealed."""

    __tablename__ = "offline_keys"
    __table_args__ = (
        Index(None, "event_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    key_sealed: Mapped[bytes]
    created_at: Mapped[datetime] = default("now()")
    valid_until: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Quarantined(Base):
    """A scan that a revoked device brought: kept until a person decides."""

    __tablename__ = "quarantine"
    __table_args__ = (
        one_of("state", "waiting", "accepted", "rejected"),
        UniqueConstraint("device_id", "scan_id"),
        Index(None, "event_id", "received_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    device_id: Mapped[UUID] = reference("ops.devices.id", "CASCADE", index=False)
    scan_id: Mapped[UUID]
    record: Mapped[dict[str, Any]]
    state: Mapped[str] = default("'waiting'")
    received_at: Mapped[datetime] = default("now()")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    note: Mapped[str | None]
    result: Mapped[dict[str, Any] | None]
