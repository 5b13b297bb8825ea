"""What an event says to its audience and hears back."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    Numeric,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, between, default, one_of, primary_key, reference


class EventFeedback(Base):
    """What an attendee said of an event or a session."""

    __tablename__ = "event_feedback"
    __table_args__ = (
        between("overall_rating", 1, 5),
        between("content_rating", 1, 5),
        between("speaker_rating", 1, 5),
        between("venue_rating", 1, 5),
        between("organization_rating", 1, 5),
        between("value_rating", 1, 5),
        between("session_rating", 1, 5),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
        Index(
            "uq_event_feedback_once",
            "once_hash",
            unique=True,
            postgresql_where=text("once_hash IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE", index=False)
    session_id: Mapped[UUID | None] = reference("sessions.id", "SET NULL")
    attendee_id: Mapped[UUID | None] = reference("attendees.id", "CASCADE")
    overall_rating: Mapped[int | None]
    content_rating: Mapped[int | None]
    speaker_rating: Mapped[int | None]
    venue_rating: Mapped[int | None]
    organization_rating: Mapped[int | None]
    value_rating: Mapped[int | None]
    comments: Mapped[str | None]
    suggestions: Mapped[str | None]
    best_aspects: Mapped[str | None]
    improvement_areas: Mapped[str | None]
    would_recommend: Mapped[bool | None]
    would_attend_again: Mapped[bool | None]
    session_rating: Mapped[int | None]
    session_comments: Mapped[str | None]
    is_anonymous: Mapped[bool | None] = default("false")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")
    once_hash: Mapped[bytes | None]


class NetworkingConnection(Base):
    """A wish of one attendee to meet another."""

    __tablename__ = "networking_connections"
    __table_args__ = (
        one_of(
            "connection_type",
            "business",
            "collaboration",
            "mentorship",
            "friendship",
            "partnership",
        ),
        one_of("status", "pending", "accepted", "declined", "blocked"),
        UniqueConstraint("event_id", "requester_id", "target_id"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE", index=False)
    requester_id: Mapped[UUID | None] = reference("attendees.id", "CASCADE")
    target_id: Mapped[UUID | None] = reference("attendees.id", "CASCADE")
    connection_type: Mapped[str | None]
    connection_reason: Mapped[str | None]
    status: Mapped[str | None] = default("'pending'")
    message: Mapped[str | None]
    meeting_requested: Mapped[bool | None] = default("false")
    meeting_scheduled: Mapped[datetime | None]
    meeting_location: Mapped[str | None]
    meeting_notes: Mapped[str | None]
    follow_up_scheduled: Mapped[bool | None] = default("false")
    follow_up_date: Mapped[date | None]
    follow_up_notes: Mapped[str | None]
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class EventMaterial(Base):
    """A file or link for those who attend."""

    __tablename__ = "event_materials"
    __table_args__ = (
        one_of(
            "material_type",
            "presentation",
            "document",
            "video",
            "audio",
            "image",
            "link",
            "handout",
        ),
        one_of(
            "access_level",
            "public",
            "attendees_only",
            "speakers_only",
            "sponsors_only",
            "organizers_only",
        ),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE", index=False)
    session_id: Mapped[UUID | None] = reference("sessions.id", "SET NULL")
    uploaded_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    title: Mapped[str]
    description: Mapped[str | None]
    material_type: Mapped[str | None]
    file_url: Mapped[str | None]
    file_size: Mapped[int | None] = mapped_column(BigInteger)
    file_format: Mapped[str | None]
    file_duration: Mapped[int | None]
    download_count: Mapped[int | None] = default("0")
    access_level: Mapped[str | None] = default("'attendees_only'")
    requires_download: Mapped[bool | None] = default("true")
    password_protected: Mapped[bool | None] = default("false")
    tags: Mapped[list[str] | None]
    language: Mapped[str | None] = default("'en'")
    category: Mapped[str | None]
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class EventAnnouncement(Base):
    """A message to an audience, now or later."""

    __tablename__ = "event_announcements"
    __table_args__ = (
        one_of("priority", "low", "normal", "high", "urgent"),
        one_of(
            "target_audience",
            "all",
            "attendees",
            "speakers",
            "sponsors",
            "organizers",
            "vip",
        ),
        CheckConstraint(
            "delivery_method <@ ARRAY['email', 'push', 'in_app', 'sms', 'website']",
            name="delivery_method",
        ),
        one_of("status", "draft", "scheduled", "sent", "cancelled"),
        between("chain_after_s", 5, 86400),
        UniqueConstraint("event_id", "seq"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
        Index(
            "ix_event_announcements_due",
            "scheduled_for",
            postgresql_where=text("status = 'scheduled'"),
        ),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE", index=False)
    session_id: Mapped[UUID | None] = reference("sessions.id", "SET NULL")
    author_id: Mapped[UUID | None] = reference("users.id", "SET NULL")
    title: Mapped[str]
    content: Mapped[str]
    priority: Mapped[str | None] = default("'normal'")
    target_audience: Mapped[str | None]
    target_segments: Mapped[dict[str, Any] | None]
    delivery_method: Mapped[list[str] | None]
    scheduled_for: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    status: Mapped[str | None] = default("'draft'")
    delivery_count: Mapped[int | None] = default("0")
    open_count: Mapped[int | None] = default("0")
    click_count: Mapped[int | None] = default("0")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")
    translations: Mapped[dict[str, Any]] = default("'{}'")
    link_url: Mapped[str | None]
    commercial: Mapped[bool] = default("false")
    chain: Mapped[bool] = default("false")
    chain_after_s: Mapped[int] = default("60")
    corrects_id: Mapped[UUID | None] = reference("event_announcements.id", "SET NULL")
    seq: Mapped[int | None] = mapped_column(BigInteger)
    audience_count: Mapped[int | None]


class EventMetric(Base):
    """One measured figure of an event."""

    __tablename__ = "event_analytics"
    __table_args__ = (
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE", index=False)
    session_id: Mapped[UUID | None] = reference("sessions.id", "SET NULL")
    metric_name: Mapped[str]
    metric_value: Mapped[Decimal | None] = mapped_column(Numeric(15, 4))
    metric_unit: Mapped[str | None]
    measurement_time: Mapped[datetime | None] = default("now()")
    data_source: Mapped[str | None]
    dimension_1: Mapped[str | None]
    dimension_2: Mapped[str | None]
    dimension_3: Mapped[str | None]
    raw_data: Mapped[dict[str, Any] | None]
    calculation_method: Mapped[str | None]
    calculation_period: Mapped[str | None]
    created_at: Mapped[datetime | None] = default("now()")
