"""Privacy and the CRM's own book-keeping: consents, keys of persons, erasures, merges,
segments, rules of scores, the history of the pipeline, reminders.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Identity,
    Index,
    Numeric,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, Xid8, between, default, one_of, primary_key, reference

PURPOSES: Final = (
    "marketing",
    "email",
    "sms",
    "phone",
    "profiling",
    "photos",
    "sponsor_sharing",
    "networking",
)
PERSON_KINDS: Final = ("contact", "attendee", "user")


class PersonKey(Base):
    """The key under which a person's values lie in the audit log; gone with them."""

    __tablename__ = "person_keys"
    __table_args__ = (one_of("person_kind", *PERSON_KINDS), {"schema": "ops"})

    id: Mapped[UUID] = primary_key()
    person_kind: Mapped[str]
    person_id: Mapped[UUID] = mapped_column(index=True)
    key_sealed: Mapped[bytes]
    created_at: Mapped[datetime] = default("now()")


class AuditSeal(Base):
    """A hash over a run of the audit log and over the seal before it."""

    __tablename__ = "audit_seals"
    __table_args__ = ({"schema": "ops"},)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    first_id: Mapped[int] = mapped_column(BigInteger)
    last_xid: Mapped[int] = mapped_column(Xid8)
    last_id: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int]
    previous: Mapped[bytes]
    hash: Mapped[bytes]
    sealed_at: Mapped[datetime] = default("now()")


class ConsentText(Base):
    """What people were asked, word for word; a new wording is a new version."""

    __tablename__ = "consent_texts"
    __table_args__ = (
        one_of("purpose", *PURPOSES),
        UniqueConstraint("purpose", "version", "language"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    purpose: Mapped[str]
    version: Mapped[str]
    language: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime] = default("now()")


class Consent(Base):
    """What a person allowed or took back, when, on which text: only ever added to.

    The newest row of a purpose counts. `evidence` is sealed under the person's key.
    """

    __tablename__ = "consents"
    __table_args__ = (
        one_of("purpose", *PURPOSES),
        one_of("state", "granted", "withdrawn", "expired"),
        one_of("basis", "express", "implied", "contract", "legitimate_interest"),
        one_of("regime", "casl", "gdpr", "pipeda"),
        Index(None, "contact_id", "purpose", "given_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    contact_id: Mapped[UUID] = reference("contacts.id", index=False)
    purpose: Mapped[str]
    state: Mapped[str]
    basis: Mapped[str] = default("'express'")
    regime: Mapped[str | None]
    source: Mapped[str]
    text_id: Mapped[UUID | None] = reference("ops.consent_texts.id")
    event_id: Mapped[UUID | None]
    given_at: Mapped[datetime] = default("now()")
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    recorded_by: Mapped[UUID | None]
    key_id: Mapped[UUID | None]
    evidence: Mapped[bytes | None]
    created_at: Mapped[datetime] = default("now()")


class Erasure(Base):
    """That a person was erased: ids only, so that a restored backup can repeat it."""

    __tablename__ = "erasures"
    __table_args__ = (
        one_of("person_kind", *PERSON_KINDS),
        Index(None, "erased_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    person_kind: Mapped[str]
    person_id: Mapped[UUID] = mapped_column(index=True)
    reason: Mapped[str]
    requested_by: Mapped[UUID | None]
    result: Mapped[dict[str, Any]] = default("'{}'")
    erased_at: Mapped[datetime] = default("now()")


class RetentionRule(Base):
    """How long a kind of data is kept, if not as long as the program says."""

    __tablename__ = "retention_rules"
    __table_args__ = (between("keep_days", 1, 36_500), {"schema": "ops"})

    name: Mapped[str] = mapped_column(primary_key=True)
    keep_days: Mapped[int]
    enabled: Mapped[bool] = default("true")
    updated_by: Mapped[UUID | None]
    updated_at: Mapped[datetime] = default("now()")
    last_run_at: Mapped[datetime | None]
    last_rows: Mapped[int | None]


class ContactMerge(Base):
    """That two contacts were one person; how many rows of each table moved."""

    __tablename__ = "contact_merges"
    __table_args__ = ({"schema": "ops"},)

    id: Mapped[UUID] = primary_key()
    winner_id: Mapped[UUID] = mapped_column(index=True)
    loser_id: Mapped[UUID] = mapped_column(unique=True)
    moved: Mapped[dict[str, Any]] = default("'{}'")
    merged_by: Mapped[UUID | None]
    merged_at: Mapped[datetime] = default("now()")


class Duplicate(Base):
    """Two contacts that may be one person, and what speaks for it."""

    __tablename__ = "duplicates"
    __table_args__ = (
        CheckConstraint("low_id < high_id", name="order"),
        one_of("state", "open", "dismissed"),
        Index(None, "state", "score", "low_id", "high_id"),
        {"schema": "ops"},
    )

    low_id: Mapped[UUID] = mapped_column(primary_key=True)
    high_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    score: Mapped[Decimal] = mapped_column(Numeric(4, 3))
    reasons: Mapped[list[str]]
    state: Mapped[str] = default("'open'")
    found_at: Mapped[datetime] = default("now()")
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]


class Segment(Base):
    """A saved filter over contacts and what they did."""

    __tablename__ = "segments"
    __table_args__ = (Index(None, "created_at", "id"), {"schema": "ops"})

    id: Mapped[UUID] = primary_key()
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]
    conditions: Mapped[dict[str, Any]]
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    counted: Mapped[int | None]
    counted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = default("now()")
    updated_at: Mapped[datetime] = default("now()")


class ScoreRule(Base):
    """Points for something that a contact did; the sum, 0 to 100, is the lead score."""

    __tablename__ = "score_rules"
    __table_args__ = (
        one_of(
            "signal",
            "event_attended",
            "session_attended",
            "no_show",
            "order_paid",
            "feedback_given",
            "campaign_opened",
            "campaign_clicked",
            "unsubscribed",
            "interaction_logged",
            "sponsor_scan",
            "lead_created",
        ),
        between("points", -100, 100),
        between("times_max", 1, 100),
        between("within_days", 1, 36_500),
        Index(None, "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    name: Mapped[str]
    signal: Mapped[str]
    points: Mapped[int]
    times_max: Mapped[int] = default("1")
    within_days: Mapped[int | None]
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE")
    enabled: Mapped[bool] = default("true")
    created_at: Mapped[datetime] = default("now()")
    updated_at: Mapped[datetime] = default("now()")


class StageChange(Base):
    """A step of a lead or an opportunity, written by a trigger whoever takes it."""

    __tablename__ = "stage_changes"
    __table_args__ = (
        one_of("kind", "lead", "opportunity"),
        Index(None, "subject_id", "at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    from_stage: Mapped[str | None]
    to_stage: Mapped[str | None]
    probability: Mapped[int | None]
    amount: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    changed_by: Mapped[UUID | None]
    at: Mapped[datetime] = default("now()")


class Reminder(Base):
    """A task's reminder as it was given to its owner: once for each time it was due."""

    __tablename__ = "reminders"
    __table_args__ = (
        UniqueConstraint("task_id", "due_at"),
        Index(None, "user_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    task_id: Mapped[UUID] = reference("tasks.id", "CASCADE", index=False)
    user_id: Mapped[UUID] = reference("users.id", "CASCADE", index=False)
    due_at: Mapped[datetime]
    created_at: Mapped[datetime] = default("now()")
    seen_at: Mapped[datetime | None]
