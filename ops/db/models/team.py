"""The team behind the CRM: roles, users, their tasks and notes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Index,
)
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, default, one_of, primary_key, reference


class Role(Base):
    """A named set of permissions."""

    __tablename__ = "roles"
    __table_args__ = (Index(None, "created_at", "id"),)

    id: Mapped[UUID] = primary_key()
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]
    level: Mapped[int | None] = default("1")
    permissions: Mapped[dict[str, Any]] = default("'{}'")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class User(Base):
    """A member of the staff who signs in."""

    __tablename__ = "users"
    __table_args__ = (
        one_of("status", "active", "inactive", "suspended"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    profile_id: Mapped[UUID | None] = reference("profiles.id", "CASCADE")
    username: Mapped[str | None] = mapped_column(unique=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    phone: Mapped[str | None]
    password_hash: Mapped[str | None]
    last_login_at: Mapped[datetime | None]
    failed_login_attempts: Mapped[int | None] = default("0")
    locked_until: Mapped[datetime | None]
    role_id: Mapped[UUID | None] = reference("roles.id", "SET NULL")
    department: Mapped[str | None]
    manager_id: Mapped[UUID | None] = reference("users.id", "SET NULL")
    status: Mapped[str | None] = default("'active'")
    timezone: Mapped[str | None] = default("'America/Toronto'")
    language: Mapped[str | None] = default("'en'")
    notification_preferences: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class Task(Base):
    """Something that somebody has to do."""

    __tablename__ = "tasks"
    __table_args__ = (
        one_of(
            "task_type",
            "call",
            "email",
            "meeting",
            "follow_up",
            "proposal",
            "demo",
            "admin",
            "research",
        ),
        one_of("priority", "low", "medium", "high", "urgent"),
        one_of("status", "pending", "in_progress", "completed", "cancelled"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
        Index(None, "due_date", "id"),
    )

    id: Mapped[UUID] = primary_key()
    title: Mapped[str]
    description: Mapped[str | None]
    task_type: Mapped[str | None]
    priority: Mapped[str | None] = default("'medium'")
    due_date: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    status: Mapped[str | None] = default("'pending'")
    assigned_to: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    contact_id: Mapped[UUID | None] = reference("contacts.id", "SET NULL")
    company_id: Mapped[UUID | None] = reference("companies.id", "SET NULL")
    opportunity_id: Mapped[UUID | None] = reference("opportunities.id", "SET NULL")
    event_id: Mapped[UUID | None] = reference("events.id", "SET NULL", index=False)
    reminder_sent: Mapped[bool | None] = default("false")
    reminder_date: Mapped[datetime | None]
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class Note(Base):
    """A remark about a contact, a company, a deal or an event."""

    __tablename__ = "notes"
    __table_args__ = (
        one_of(
            "note_type",
            "general",
            "meeting",
            "call",
            "email",
            "internal",
            "customer_feedback",
        ),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    title: Mapped[str | None]
    content: Mapped[str]
    note_type: Mapped[str | None] = default("'general'")
    is_private: Mapped[bool | None] = default("false")
    is_important: Mapped[bool | None] = default("false")
    contact_id: Mapped[UUID | None] = reference("contacts.id", "SET NULL")
    company_id: Mapped[UUID | None] = reference("companies.id", "SET NULL")
    opportunity_id: Mapped[UUID | None] = reference("opportunities.id", "SET NULL")
    event_id: Mapped[UUID | None] = reference("events.id", "SET NULL", index=False)
    interaction_id: Mapped[UUID | None] = reference("interactions.id", "SET NULL")
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")
