"""What happened at the door: each scan, each conflict, each tap of the counter."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, default, primary_key, reference


class ScanLog(Base):
    """One scan and what was answered; never deleted while the event is kept.

    Evidence has no foreign keys: it outlives what it names, and a scan must not wait.
    """

    __tablename__ = "scan_log"
    __table_args__ = (
        Index(None, "event_id", "decided_at", "scan_id"),
        Index(None, "ticket_id", "decided_at"),
        Index(None, "event_id", "gate_id", "decided_at"),
        Index(None, "device_id", "decided_at", "scan_id"),
        Index(
            None,
            "event_id",
            "reason",
            "decided_at",
            "scan_id",
            postgresql_where=text("verdict IN ('refused', 'hold')"),
        ),
        Index(
            "ix_scan_log_turned_away",
            "event_id",
            "decided_at",
            "scan_id",
            postgresql_where=text("verdict IN ('refused', 'hold')"),
        ),
        {"schema": "ops"},
    )

    scan_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID]
    content_hash: Mapped[bytes]
    verdict: Mapped[str]
    reason: Mapped[str]
    args: Mapped[dict[str, Any]] = default("'{}'")
    ticket_id: Mapped[UUID | None]
    scope_id: Mapped[UUID | None]
    gate_id: Mapped[UUID | None]
    device_id: Mapped[UUID | None]
    operator_id: Mapped[UUID | None]
    direction: Mapped[str | None]
    method: Mapped[str | None]
    pass_no: Mapped[int | None]
    people: Mapped[int] = default("1")
    code_hash: Mapped[bytes | None]
    code_hint: Mapped[str | None]
    decided_at: Mapped[datetime] = default("now()")
    scanned_at: Mapped[datetime | None]
    offline: Mapped[bool] = default("false")
    door: Mapped[dict[str, Any] | None]
    mode: Mapped[str] = default("'N'")
    durable: Mapped[str | None]
    undone_at: Mapped[datetime | None]
    superseded_by: Mapped[UUID | None]
    """The scan that holds its place: it lost a merge, or a steward took over."""


class ConflictRow(Base):
    """An entry beyond one that was possible, or two answers that disagree.

    `people` of it are inside `area_id` until it is resolved: `ops.areas.disputed`.
    """

    __tablename__ = "conflicts"
    __table_args__ = (
        Index(None, "event_id", "created_at", "id"),
        Index(None, "loser_scan_id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    kind: Mapped[str]
    ticket_id: Mapped[UUID | None] = reference("tickets.id", "SET NULL")
    scope_id: Mapped[UUID | None] = reference("ops.scopes.id", "SET NULL")
    winner_scan_id: Mapped[UUID | None]
    loser_scan_id: Mapped[UUID | None]
    area_id: Mapped[UUID | None] = reference("ops.areas.id", "SET NULL")
    people: Mapped[int] = default("0")
    detail: Mapped[dict[str, Any]] = default("'{}'")
    created_at: Mapped[datetime] = default("now()")
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    resolution: Mapped[str | None]
    note: Mapped[str | None]


class Count(Base):
    """People counted without tickets: one tap, its id made by the device."""

    __tablename__ = "counts"
    __table_args__ = (
        Index(None, "event_id", "at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    area_id: Mapped[UUID] = reference("ops.areas.id", "CASCADE")
    gate_id: Mapped[UUID | None] = reference("ops.gates.id", "SET NULL")
    device_id: Mapped[UUID | None] = reference("ops.devices.id", "SET NULL")
    operator_id: Mapped[UUID | None] = reference("ops.operators.id", "SET NULL")
    delta: Mapped[int]
    reason: Mapped[str | None]
    at: Mapped[datetime] = default("now()")
