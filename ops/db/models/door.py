"""Where people may go: areas, scopes, gates, the rules, and the codes of tickets."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, between, default, number, one_of, primary_key, reference

ANCHORS = ("doors", "event_start", "event_end", "session_start", "session_end")
"""What a relative window counts from."""


def pass_rules() -> tuple[CheckConstraint, ...]:
    """What holds for windows and passes, of a scope and of a rule alike."""
    return (
        one_of("opens_anchor", *ANCHORS),
        one_of("closes_anchor", *ANCHORS),
        CheckConstraint("opens_at IS NULL OR opens_anchor IS NULL", name="opens"),
        CheckConstraint("closes_at IS NULL OR closes_anchor IS NULL", name="closes"),
        CheckConstraint("passes_per_day >= 1", name="passes_per_day"),
        CheckConstraint("pass_gap_minutes >= 0", name="pass_gap_minutes"),
        CheckConstraint("anti_passback_minutes >= 0", name="anti_passback_minutes"),
    )


class Area(Base):
    """A place with a limit; `inside` (scanned), `manual` (counted): people in it."""

    __tablename__ = "areas"
    __table_args__ = (
        one_of("kind", "venue", "zone", "room"),
        one_of("limit_kind", "hard", "soft"),
        CheckConstraint("capacity >= 0", name="capacity"),
        between("min_age", 1, 120),
        Index(None, "event_id", "position", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    no: Mapped[int] = number()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    venue_id: Mapped[UUID | None] = reference("venues.id", "SET NULL")
    parent_id: Mapped[UUID | None] = reference("ops.areas.id", "SET NULL")
    name: Mapped[str]
    kind: Mapped[str] = default("'zone'")
    capacity: Mapped[int | None]
    limit_kind: Mapped[str] = default("'hard'")
    inside: Mapped[int] = default("0")
    manual: Mapped[int] = default("0")
    disputed: Mapped[int] = default("0")
    position: Mapped[int] = default("0")
    overflow_area_id: Mapped[UUID | None] = reference("ops.areas.id", "SET NULL")
    min_age: Mapped[int | None]
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    created_at: Mapped[datetime] = default("now()")


class Scope(Base):
    """What an admission is for: the venue, a zone or a session.

    A null capacity or limit_kind means the area's.
    """

    __tablename__ = "scopes"
    __table_args__ = (
        one_of("kind", "venue", "zone", "session"),
        one_of("limit_kind", "hard", "soft"),
        one_of("re_entry", "never", "after_exit", "always"),
        one_of("enter_outer", "enter", "require", "ignore"),
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint("passes_total >= 1", name="passes_total"),
        *pass_rules(),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    no: Mapped[int] = number()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE")
    kind: Mapped[str]
    area_id: Mapped[UUID | None] = reference("ops.areas.id", "SET NULL")
    parent_id: Mapped[UUID | None] = reference("ops.scopes.id", "SET NULL")
    session_id: Mapped[UUID | None] = reference(
        "sessions.id", "CASCADE", index=False, unique=True
    )
    name: Mapped[str]
    capacity: Mapped[int | None]
    limit_kind: Mapped[str | None]
    inside: Mapped[int] = default("0")
    tracks_exits: Mapped[bool] = default("false")
    re_entry: Mapped[str] = default("'always'")
    passes_total: Mapped[int | None]
    enter_outer: Mapped[str] = default("'enter'")
    exclusive: Mapped[bool] = default("false")
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    opens_anchor: Mapped[str | None]
    opens_offset_minutes: Mapped[int] = default("0")
    closes_anchor: Mapped[str | None]
    closes_offset_minutes: Mapped[int] = default("0")
    passes_per_day: Mapped[int | None]
    pass_gap_minutes: Mapped[int | None]
    anti_passback_minutes: Mapped[int | None]
    exits_assumed_at: Mapped[time | None]
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    created_at: Mapped[datetime] = default("now()")


class Gate(Base):
    """Where scans happen; leads into one area, or serves one session."""

    __tablename__ = "gates"
    __table_args__ = (
        one_of("direction", "in", "out", "both"),
        one_of("state", "held", "open", "last_entry", "closed"),
        Index(None, "event_id", "position", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    no: Mapped[int] = number()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    area_id: Mapped[UUID | None] = reference("ops.areas.id", "SET NULL")
    session_id: Mapped[UUID | None] = reference("sessions.id", "SET NULL")
    name: Mapped[str]
    direction: Mapped[str] = default("'in'")
    state: Mapped[str] = default("'open'")
    use_instead_id: Mapped[UUID | None] = reference("ops.gates.id", "SET NULL")
    position: Mapped[int] = default("0")
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    created_at: Mapped[datetime] = default("now()")


class AccessRule(Base):
    """Who may enter a scope, when and how often; no type means by class."""

    __tablename__ = "access_rules"
    __table_args__ = (
        one_of("re_entry", "never", "after_exit", "always"),
        CheckConstraint("passes_total >= 1", name="passes_total"),
        between("min_age", 1, 120),
        *pass_rules(),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE")
    scope_id: Mapped[UUID] = reference("ops.scopes.id", "CASCADE")
    ticket_type_id: Mapped[UUID | None] = reference("ticket_types.id", "CASCADE")
    access_class: Mapped[str | None]
    allowed: Mapped[bool] = default("true")
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    passes_total: Mapped[int | None]
    re_entry: Mapped[str | None]
    day: Mapped[date | None]
    opens_anchor: Mapped[str | None]
    opens_offset_minutes: Mapped[int] = default("0")
    closes_anchor: Mapped[str | None]
    closes_offset_minutes: Mapped[int] = default("0")
    passes_per_day: Mapped[int | None]
    pass_gap_minutes: Mapped[int | None]
    anti_passback_minutes: Mapped[int | None]
    min_age: Mapped[int | None]
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    created_at: Mapped[datetime] = default("now()")


class TicketCode(Base):
    """A code that opens a ticket, kept as a hash; a ticket may have many."""

    __tablename__ = "ticket_codes"
    __table_args__ = (
        # The hash first: an unknown code is looked for in the other events as well.
        UniqueConstraint("code_hash", "event_id"),
        one_of("kind", "own", "imported", "medium"),
        one_of("revoked_reason", "reissued", "exchanged", "lost"),
        CheckConstraint("octet_length(code_hash) = 16", name="code_hash"),
        Index(None, "event_id", "hint"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE")
    code_hash: Mapped[bytes]
    ticket_id: Mapped[UUID] = reference("tickets.id", "CASCADE")
    kind: Mapped[str] = default("'own'")
    hint: Mapped[str | None]
    text_sealed: Mapped[bytes | None]
    issued_at: Mapped[datetime] = default("now()")
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None]
    replaced_by: Mapped[UUID | None] = reference("ops.ticket_codes.id", "SET NULL")


class SessionRegistration(Base):
    """A place in a session, or in its waitlist, for a ticket."""

    __tablename__ = "session_registrations"
    __table_args__ = (
        UniqueConstraint("session_id", "ticket_id"),
        one_of("status", "registered", "waitlist", "released", "cancelled"),
        Index(None, "session_id", "status", "position"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    session_id: Mapped[UUID] = reference("sessions.id", "CASCADE", index=False)
    event_id: Mapped[UUID] = reference("events.id", "CASCADE")
    attendee_id: Mapped[UUID | None] = reference("attendees.id", "SET NULL")
    ticket_id: Mapped[UUID] = reference("tickets.id", "CASCADE")
    status: Mapped[str] = default("'registered'")
    position: Mapped[int | None]
    registered_at: Mapped[datetime] = default("now()")
    standby_at: Mapped[datetime | None]
    promoted_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
