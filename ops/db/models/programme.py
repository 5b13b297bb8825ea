"""What an event is made of: venue, event, sessions, speakers, sponsors."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    Index,
    Numeric,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, between, default, number, one_of, primary_key, reference


class Venue(Base):
    """A building or ground where events take place."""

    __tablename__ = "venues"
    __table_args__ = (
        one_of("status", "active", "inactive"),
        CheckConstraint("total_capacity >= 0", name="total_capacity"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    name: Mapped[str]
    description: Mapped[str | None]
    address_line1: Mapped[str | None]
    address_line2: Mapped[str | None]
    city: Mapped[str | None]
    state_province: Mapped[str | None]
    postal_code: Mapped[str | None]
    country: Mapped[str] = default("'Canada'")
    timezone: Mapped[str] = default("'America/Toronto'")
    total_capacity: Mapped[int | None]
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    contact_email: Mapped[str | None]
    contact_phone: Mapped[str | None]
    accessibility_info: Mapped[str | None]
    status: Mapped[str] = default("'active'")
    created_at: Mapped[datetime] = default("now()")
    updated_at: Mapped[datetime] = default("now()")


class Event(Base):
    """The conference, festival or seminar; all else of a day hangs on it."""

    __tablename__ = "events"
    __table_args__ = (
        one_of(
            "event_type",
            "conference",
            "seminar",
            "workshop",
            "networking",
            "festival",
            "club",
        ),
        one_of("status", "draft", "published", "live", "completed", "cancelled"),
        one_of("doors_state", "held", "open", "last_entry", "closed"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("capacity >= 0", name="capacity"),
        between("show_rate", 0, 1),
        Index(None, "starts_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    no: Mapped[int] = number()
    profile_id: Mapped[UUID | None] = reference("profiles.id", "SET NULL")
    venue_id: Mapped[UUID | None] = reference("venues.id", "SET NULL")
    company_id: Mapped[UUID | None] = reference("companies.id", "SET NULL")
    title: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]
    event_type: Mapped[str] = default("'conference'")
    timezone: Mapped[str] = default("'America/Toronto'")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    doors_open_at: Mapped[datetime | None]
    admission_opens_at: Mapped[datetime | None]
    admission_closes_at: Mapped[datetime | None]
    day_starts_at: Mapped[time] = default("'06:00'")
    capacity: Mapped[int | None]
    languages: Mapped[list[str]] = default("'{en,fr}'")
    currency: Mapped[str] = default("'CAD'")
    status: Mapped[str] = default("'draft'")
    doors_state: Mapped[str] = default("'open'")
    doors_delay_minutes: Mapped[int] = default("0")
    show_rate: Mapped[Decimal] = mapped_column(Numeric(5, 4), server_default=text("1"))
    settings: Mapped[dict[str, Any]] = default("'{}'")
    created_at: Mapped[datetime] = default("now()")
    updated_at: Mapped[datetime] = default("now()")


class Session(Base):
    """A talk, workshop or break of an event; `area_id` is its room."""

    __tablename__ = "sessions"
    __table_args__ = (
        one_of(
            "session_type",
            "keynote",
            "workshop",
            "panel",
            "networking",
            "break",
            "lunch",
            "demo",
        ),
        one_of("difficulty_level", "beginner", "intermediate", "advanced", "expert"),
        one_of("door_mode", "open", "track", "registered", "register"),
        one_of("status", "scheduled", "live", "completed", "cancelled", "postponed"),
        Index(None, "event_id", "start_time", "id"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE", index=False)
    speaker_id: Mapped[UUID | None] = reference("speakers.id", "SET NULL")
    venue_id: Mapped[UUID | None] = reference("venues.id", "SET NULL")
    title: Mapped[str]
    description: Mapped[str | None]
    session_type: Mapped[str | None]
    difficulty_level: Mapped[str | None]
    start_time: Mapped[datetime]
    end_time: Mapped[datetime]
    duration_minutes: Mapped[int | None] = mapped_column(
        Computed("EXTRACT(EPOCH FROM (end_time - start_time))/60", persisted=True)
    )
    max_attendees: Mapped[int | None]
    current_registrations: Mapped[int | None] = default("0")
    registration_required: Mapped[bool | None] = default("false")
    registration_deadline: Mapped[datetime | None]
    waitlist_enabled: Mapped[bool | None] = default("false")
    materials_urls: Mapped[list[str] | None]
    recording_url: Mapped[str | None]
    chat_enabled: Mapped[bool | None] = default("true")
    qa_enabled: Mapped[bool | None] = default("true")
    status: Mapped[str | None] = default("'scheduled'")
    area_id: Mapped[UUID | None] = reference("ops.areas.id", "SET NULL")
    door_mode: Mapped[str] = default("'open'")
    check_in_opens: Mapped[datetime | None]
    check_in_closes: Mapped[datetime | None]
    seat_release_minutes: Mapped[int] = default("5")
    seat_hold_minutes: Mapped[int] = default("10")
    seats_released_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class Speaker(Base):
    """A person who speaks at an event."""

    __tablename__ = "speakers"
    __table_args__ = (
        one_of("status", "pending", "confirmed", "cancelled", "replaced"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE", index=False)
    contact_id: Mapped[UUID | None] = reference("contacts.id", "CASCADE")
    bio: Mapped[str | None]
    expertise_areas: Mapped[list[str] | None]
    years_experience: Mapped[int | None]
    certifications: Mapped[list[str] | None]
    presentation_title: Mapped[str | None]
    presentation_description: Mapped[str | None]
    presentation_duration: Mapped[int | None]
    presentation_slides_url: Mapped[str | None]
    handout_materials: Mapped[list[str] | None]
    website_url: Mapped[str | None]
    linkedin_url: Mapped[str | None]
    twitter_handle: Mapped[str | None]
    company_affiliation: Mapped[str | None]
    speaker_fee: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    travel_arrangements: Mapped[str | None]
    accommodation_needs: Mapped[str | None]
    dietary_restrictions: Mapped[list[str] | None]
    headshot_url: Mapped[str | None]
    bio_image_url: Mapped[str | None]
    video_intro_url: Mapped[str | None]
    status: Mapped[str | None] = default("'pending'")
    confirmation_date: Mapped[datetime | None]
    contract_signed: Mapped[bool | None] = default("false")
    assigned_to: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class Sponsor(Base):
    """A company that pays to be seen at an event."""

    __tablename__ = "sponsors"
    __table_args__ = (
        one_of(
            "sponsorship_tier",
            "title",
            "platinum",
            "gold",
            "silver",
            "bronze",
            "partner",
            "media",
        ),
        one_of("payment_status", "pending", "partial", "paid", "overdue"),
        one_of("status", "pending", "confirmed", "cancelled", "completed"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE", index=False)
    company_id: Mapped[UUID | None] = reference("companies.id", "SET NULL")
    contact_id: Mapped[UUID | None] = reference("contacts.id", "SET NULL")
    sponsorship_tier: Mapped[str | None]
    sponsorship_amount: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    payment_status: Mapped[str | None] = default("'pending'")
    benefits_included: Mapped[list[str] | None]
    deliverables: Mapped[list[str] | None]
    logo_placement: Mapped[list[str] | None]
    speaking_opportunities: Mapped[list[str] | None]
    logo_url: Mapped[str | None]
    website_url: Mapped[str | None]
    marketing_materials: Mapped[dict[str, Any] | None]
    social_media_links: Mapped[dict[str, Any] | None]
    contract_signed: Mapped[bool | None] = default("false")
    contract_url: Mapped[str | None]
    payment_schedule: Mapped[dict[str, Any] | None]
    status: Mapped[str | None] = default("'pending'")
    assigned_to: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")
