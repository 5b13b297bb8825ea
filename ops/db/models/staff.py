"""Staff at work: membership of events, sign-ins, repeated requests, the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, Xid8, default, one_of, primary_key, reference


class EventMember(Base):
    """The role of a user in one event, perhaps in one area of it."""

    __tablename__ = "event_members"
    __table_args__ = ({"schema": "ops"},)

    id: Mapped[UUID] = primary_key()
    user_id: Mapped[UUID] = reference("users.id", "CASCADE")
    event_id: Mapped[UUID] = reference("events.id", "CASCADE")
    area_id: Mapped[UUID | None] = reference("ops.areas.id", "CASCADE")
    role_id: Mapped[UUID] = reference("roles.id", "CASCADE")
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]
    created_at: Mapped[datetime] = default("now()")


class StaffSession(Base):
    """A sign-in; only hashes of its secrets are kept."""

    __tablename__ = "staff_sessions"
    __table_args__ = (
        one_of("kind", "cookie", "bearer"),
        Index(None, "expires_at"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    user_id: Mapped[UUID] = reference("users.id", "CASCADE")
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    csrf_hash: Mapped[bytes | None]
    kind: Mapped[str] = default("'cookie'")
    created_at: Mapped[datetime] = default("now()")
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    user_agent: Mapped[str | None]


class UserInvitation(Base):
    """A link by which a user sets a password, once; only its hash is kept."""

    __tablename__ = "user_invitations"
    __table_args__ = ({"schema": "ops"},)

    id: Mapped[UUID] = primary_key()
    user_id: Mapped[UUID] = reference("users.id", "CASCADE")
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = default("now()")
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    """The answer to a POST, kept for a day so that a repeat gets it again."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index(None, "created_at"),
        {"schema": "ops"},
    )

    subject: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    content_hash: Mapped[bytes]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    body: Mapped[bytes | None]
    created_at: Mapped[datetime] = default("now()")


class AuditEntry(Base):
    """Who did what to what; a trigger refuses to change or delete a row."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index(None, "at", "id"),
        Index(None, "event_id", "at", "id"),
        Index(None, "target_kind", "target_id", "at"),
        Index(None, "subject_id", "at"),
        Index(None, "xid", "id"),
        {"schema": "ops"},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = default("now()")
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID | None]
    action: Mapped[str]
    target_kind: Mapped[str | None]
    target_id: Mapped[UUID | None]
    event_id: Mapped[UUID | None]
    detail: Mapped[dict[str, Any]] = default("'{}'")
    ip: Mapped[str | None] = mapped_column(INET)
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    key_id: Mapped[UUID | None]
    personal: Mapped[bytes | None]
