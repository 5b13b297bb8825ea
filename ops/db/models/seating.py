"""Seat maps and who sits where."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Index,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped

from ops.db.base import Base, default, one_of, primary_key, reference


class SeatMap(Base):
    """A plan of seats."""

    __tablename__ = "seat_maps"
    __table_args__ = (
        one_of("map_type", "theater", "banquet", "cocktail", "standing", "mixed"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE", index=False)
    venue_id: Mapped[UUID | None] = reference("venues.id", "SET NULL")
    name: Mapped[str]
    description: Mapped[str | None]
    map_type: Mapped[str | None]
    svg_content: Mapped[str | None]
    map_image_url: Mapped[str | None]
    total_capacity: Mapped[int | None]
    rows: Mapped[int | None]
    seats_per_row: Mapped[int | None]
    seat_pricing: Mapped[dict[str, Any] | None]
    section_names: Mapped[list[str] | None]
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class SeatAssignment(Base):
    """A seat given to a ticket."""

    __tablename__ = "seat_assignments"
    __table_args__ = (
        UniqueConstraint("seat_map_id", "row_number", "seat_number"),
        UniqueConstraint("ticket_id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    seat_map_id: Mapped[UUID | None] = reference("seat_maps.id", "CASCADE", index=False)
    ticket_id: Mapped[UUID | None] = reference("tickets.id", "CASCADE", index=False)
    attendee_id: Mapped[UUID | None] = reference("attendees.id", "CASCADE")
    row_number: Mapped[int | None]
    seat_number: Mapped[int | None]
    section_name: Mapped[str | None]
    seat_label: Mapped[str | None]
    assigned_at: Mapped[datetime | None] = default("now()")
    assigned_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    accessibility_needs: Mapped[list[str] | None]
    dietary_restrictions: Mapped[list[str] | None]
    created_at: Mapped[datetime | None] = default("now()")
