"""Who was told what: templates, receipts, private links, outgoing mail."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, default, one_of, primary_key, reference


class AnnouncementEpoch(Base):
    """Epoch and offset of an event's announcements; every send adds one."""

    __tablename__ = "announcement_epochs"
    __table_args__ = ({"schema": "ops"},)

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    epoch: Mapped[str]
    seq: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class AnnouncementReceipt(Base):
    """One person, or one device of the staff, meant by a sent announcement.

    Written at send, so the audience is fixed. No foreign keys: evidence.
    """

    __tablename__ = "announcement_receipts"
    __table_args__ = (
        one_of("channel", "in_app", "email", "push", "sms"),
        one_of("kind", "attendee", "device"),
        Index(None, "recipient_id", "announcement_id"),
        Index(
            "ix_announcement_receipts_open",
            "channel",
            "announcement_id",
            postgresql_where=text(
                "attempted_at IS NULL AND delivered_at IS NULL AND failure IS NULL"
            ),
        ),
        {"schema": "ops", "postgresql_with": {"fillfactor": 70}},
    )

    announcement_id: Mapped[UUID] = mapped_column(primary_key=True)
    recipient_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID]
    kind: Mapped[str] = default("'attendee'")
    step: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    attempted_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    clicked_at: Mapped[datetime | None]
    failure: Mapped[str | None]


class AnnouncementTemplate(Base):
    """Prepared words of an event, in its languages, and whom they are for.

    `purpose` emergency and all_clear: what the emergency's steps offer.
    """

    __tablename__ = "announcement_templates"
    __table_args__ = (
        UniqueConstraint("event_id", "name"),
        one_of("purpose", "ordinary", "emergency", "all_clear"),
        one_of("priority", "low", "normal", "high", "urgent"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    name: Mapped[str]
    purpose: Mapped[str] = default("'ordinary'")
    title: Mapped[str]
    content: Mapped[str]
    translations: Mapped[dict[str, Any]] = default("'{}'")
    priority: Mapped[str] = default("'normal'")
    delivery_method: Mapped[list[str]] = default("'{in_app,website}'")
    target_audience: Mapped[str] = default("'all'")
    target_segments: Mapped[dict[str, Any]] = default("'{}'")
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_at: Mapped[datetime] = default("now()")
    updated_at: Mapped[datetime] = default("now()")


class SessionTold(Base):
    """What the people of a session were told last about when and where it is."""

    __tablename__ = "session_told"
    __table_args__ = ({"schema": "ops"},)

    session_id: Mapped[UUID] = reference(
        "sessions.id", "CASCADE", index=False, primary_key=True
    )
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    room: Mapped[str | None]
    status: Mapped[str | None]
    told_at: Mapped[datetime] = default("now()")


class AttendeeToken(Base):
    """A private link, or the session after a code sent by e-mail; only its hash."""

    __tablename__ = "attendee_tokens"
    __table_args__ = (one_of("kind", "link", "code"), {"schema": "ops"})

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE")
    attendee_id: Mapped[UUID] = reference("attendees.id", "CASCADE")
    kind: Mapped[str] = default("'link'")
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime] = default("now()")
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AttendeeCode(Base):
    """A six-digit code that was mailed to prove an address; five tries."""

    __tablename__ = "attendee_codes"
    __table_args__ = (Index(None, "event_id", "email"), {"schema": "ops"})

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    email: Mapped[str]
    code_hash: Mapped[bytes]
    tries: Mapped[int] = default("0")
    created_at: Mapped[datetime] = default("now()")
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Mail(Base):
    """A mail that waits, went, or failed; nobody gets one twice (`attempted_at`)."""

    __tablename__ = "mails"
    __table_args__ = (
        Index(
            "ix_mails_waiting",
            "created_at",
            "id",
            postgresql_where=text("attempted_at IS NULL"),
        ),
        Index(None, "event_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None]
    kind: Mapped[str]
    reference_id: Mapped[UUID | None] = mapped_column(index=True)
    recipient_id: Mapped[UUID | None]
    to_address: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    language: Mapped[str] = default("'en'")
    created_at: Mapped[datetime] = default("now()")
    not_before: Mapped[datetime | None]
    attempted_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    tries: Mapped[int] = default("0")
    last_answer: Mapped[str | None]
