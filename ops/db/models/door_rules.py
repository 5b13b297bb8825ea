"""Rules of the door beside type x scope: bans, questions, exemptions, stops, places."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, default, number, one_of, primary_key, reference

PHONE_END = "right(regexp_replace(phone, '[^0-9]', '', 'g'), 9)"
"""What of a number is compared: written with or without country, spaces, zeros."""


class Ban(Base):
    """Somebody who may not come in: here or (no event) anywhere, until a time.

    A contact, an e-mail or a phone makes red; a name with a date of birth only amber.
    """

    __tablename__ = "bans"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email"),
        Index(None, "created_at", "id"),
        Index("ix_bans_phone", sql(PHONE_END)),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE")
    contact_id: Mapped[UUID | None] = reference("contacts.id", "SET NULL")
    email: Mapped[str | None] = mapped_column(index=True)
    phone: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    birth_date: Mapped[date | None] = mapped_column(index=True)
    reason: Mapped[str]
    until: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    operator_id: Mapped[UUID | None] = reference("ops.operators.id", "SET NULL")
    lifted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = default("now()")


class DoorQuestion(Base):
    """A question at the door; `text` and the options' texts are by language."""

    __tablename__ = "questions"
    __table_args__ = (
        one_of("kind", "text", "number", "choice", "yes_no", "date"),
        CheckConstraint("jsonb_typeof(text) = 'object'", name="text"),
        CheckConstraint("jsonb_typeof(options) = 'array'", name="options"),
        Index(None, "event_id", "position", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    no: Mapped[int] = number()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    scope_id: Mapped[UUID | None] = reference("ops.scopes.id", "CASCADE")
    ticket_type_id: Mapped[UUID | None] = reference("ticket_types.id", "CASCADE")
    access_class: Mapped[str | None]
    kind: Mapped[str] = default("'text'")
    text: Mapped[dict[str, Any]] = default("'{}'")
    options: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default=sql("'[]'")
    )
    required: Mapped[bool] = default("true")
    every_time: Mapped[bool] = default("false")
    minimum: Mapped[Decimal | None]
    maximum: Mapped[Decimal | None]
    active: Mapped[bool] = default("true")
    position: Mapped[int] = default("0")
    created_at: Mapped[datetime] = default("now()")


class DoorAnswer(Base):
    """An answer given with a scan; `years`: the yes to an ID of that age."""

    __tablename__ = "answers"
    __table_args__ = (
        CheckConstraint("num_nonnulls(question_id, years) = 1", name="of_what"),
        Index(None, "event_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    ticket_id: Mapped[UUID] = reference("tickets.id", "CASCADE")
    question_id: Mapped[UUID | None] = reference("ops.questions.id", "CASCADE")
    scan_id: Mapped[UUID] = mapped_column(index=True)
    value: Mapped[Any] = mapped_column(JSONB)
    years: Mapped[int | None]
    operator_id: Mapped[UUID | None] = reference("ops.operators.id", "SET NULL")
    device_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = default("now()")


class Exemption(Base):
    """What one ticket may, at a scope or at all, instead of what its type may."""

    __tablename__ = "exemptions"
    __table_args__ = (
        one_of("re_entry", "never", "after_exit", "always"),
        CheckConstraint("passes_total >= 1", name="passes_total"),
        CheckConstraint("passes_per_day >= 1", name="passes_per_day"),
        Index(None, "event_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    ticket_id: Mapped[UUID] = reference("tickets.id", "CASCADE")
    scope_id: Mapped[UUID | None] = reference("ops.scopes.id", "CASCADE")
    allowed: Mapped[bool | None]
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    passes_total: Mapped[int | None]
    passes_per_day: Mapped[int | None]
    re_entry: Mapped[str | None]
    reason: Mapped[str | None]
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_at: Mapped[datetime] = default("now()")


class AdmissionStop(Base):
    """Admission is stopped at a gate, in an area or (neither) everywhere."""

    __tablename__ = "admission_stops"
    __table_args__ = (
        CheckConstraint("num_nonnulls(area_id, gate_id) <= 1", name="where"),
        Index(None, "event_id", "stopped_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    area_id: Mapped[UUID | None] = reference("ops.areas.id", "CASCADE")
    gate_id: Mapped[UUID | None] = reference("ops.gates.id", "CASCADE")
    reason: Mapped[str | None]
    stopped_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    operator_id: Mapped[UUID | None] = reference("ops.operators.id", "SET NULL")
    stopped_at: Mapped[datetime] = default("now()")
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[UUID | None] = reference("users.id", "SET NULL")


class HeldPlace(Base):
    """Places of a limit kept for a class or a type until a time."""

    __tablename__ = "held_places"
    __table_args__ = (
        CheckConstraint("places >= 0", name="places"),
        CheckConstraint("num_nonnulls(scope_id, area_id) = 1", name="where"),
        CheckConstraint(
            "num_nonnulls(access_class, ticket_type_id) <= 1", name="for_whom"
        ),
        one_of(
            "access_class",
            "crew",
            "artist",
            "press",
            "exhibitor",
            "emergency",
            "companion",
            "child",
        ),
        Index(None, "event_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    scope_id: Mapped[UUID | None] = reference("ops.scopes.id", "CASCADE")
    area_id: Mapped[UUID | None] = reference("ops.areas.id", "CASCADE")
    access_class: Mapped[str | None]
    ticket_type_id: Mapped[UUID | None] = reference("ticket_types.id", "CASCADE")
    places: Mapped[int]
    until: Mapped[datetime | None]
    reason: Mapped[str | None]
    created_at: Mapped[datetime] = default("now()")
