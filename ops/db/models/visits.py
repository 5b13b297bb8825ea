"""The visits: who was where, from when to when."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, default, one_of, primary_key, reference


class CheckIn(Base):
    """One person's visit of a scope: an admission.

    Four unique keys decide who is admitted (docs/subsystems/database.md). Only the
    references that a person can delete by hand are foreign keys: each one costs every
    scan a look-up, so area, exit gate and operator have none.
    """

    __tablename__ = "check_ins"
    __table_args__ = (
        one_of("check_in_method", "qr_code", "manual", "nfc", "app", "kiosk"),
        UniqueConstraint(
            "ticket_id", "scope_id", "person_no", "pass_no", name="uq_check_ins_pass"
        ),
        UniqueConstraint("scan_id", "scope_id", "person_no", name="uq_check_ins_scan"),
        Index(
            "uq_check_ins_exit",
            "exit_scan_id",
            "scope_id",
            "person_no",
            unique=True,
            postgresql_where=text("exit_scan_id IS NOT NULL"),
        ),
        Index(
            "uq_check_ins_inside",
            "ticket_id",
            "scope_id",
            "person_no",
            unique=True,
            postgresql_where=text("checked_out_at IS NULL AND undone_at IS NULL"),
        ),
        Index(None, "event_id", "checked_in_at", "id"),
        # With the ticket: a plan made for an empty table may take this index for a
        # look-up of one ticket's visits, and must not read all of the venue's.
        Index(None, "scope_id", "ticket_id"),
        Index(
            None,
            "validated_by",
            postgresql_where=text("validated_by IS NOT NULL"),
        ),
        # Room on each page, so that `confirmed_at` is written without the indexes.
        {"postgresql_with": {"fillfactor": 50}},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE", index=False)
    attendee_id: Mapped[UUID | None] = reference("attendees.id", "CASCADE")
    ticket_id: Mapped[UUID | None] = reference("tickets.id", "SET NULL", index=False)
    checked_in_at: Mapped[datetime | None] = default("now()")
    checked_out_at: Mapped[datetime | None]
    check_in_method: Mapped[str | None]
    check_in_location: Mapped[str | None]
    device_id: Mapped[str | None]
    ip_address: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str | None]
    validated_by: Mapped[UUID | None] = reference("users.id", "SET NULL", index=False)
    validation_notes: Mapped[str | None]
    duration_minutes: Mapped[int | None]
    is_present: Mapped[bool | None] = default("true")
    created_at: Mapped[datetime | None] = default("now()")
    scope_id: Mapped[UUID | None] = reference("ops.scopes.id", index=False)
    area_id: Mapped[UUID | None]
    gate_id: Mapped[UUID | None] = reference("ops.gates.id", "SET NULL")
    operator_id: Mapped[UUID | None]
    person_no: Mapped[int] = default("1")
    pass_no: Mapped[int] = default("1")
    scan_id: Mapped[UUID | None]
    exit_scan_id: Mapped[UUID | None]
    exit_gate_id: Mapped[UUID | None]
    exit_assumed: Mapped[bool] = default("false")
    undone_at: Mapped[datetime | None]
    undo_scan_id: Mapped[UUID | None]
    undo_reason: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    mode: Mapped[str] = default("'N'")
    door_time: Mapped[datetime | None]
    exit_door_time: Mapped[datetime | None]
    event_day: Mapped[date | None]
