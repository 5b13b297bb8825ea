"""What happens to people at the door beside the scan: media, redemptions, lists."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, between, default, number, one_of, primary_key, reference


class Medium(Base):
    """A wristband or badge of the event's stock, known before it is bound."""

    __tablename__ = "media"
    __table_args__ = (
        UniqueConstraint("code_hash", "event_id"),
        one_of("kind", "wristband", "badge", "card"),
        CheckConstraint("octet_length(code_hash) = 16", name="code_hash"),
        Index(None, "event_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    code_hash: Mapped[bytes]
    hint: Mapped[str | None]
    kind: Mapped[str] = default("'wristband'")
    created_at: Mapped[datetime] = default("now()")


class MediumTicket(Base):
    """One of the tickets of a band; `ticket_codes.ticket_id` is the one valid now."""

    __tablename__ = "media_tickets"
    __table_args__ = ({"schema": "ops"},)

    code_id: Mapped[UUID] = reference(
        "ops.ticket_codes.id", "CASCADE", index=False, primary_key=True
    )
    ticket_id: Mapped[UUID] = reference("tickets.id", "CASCADE", primary_key=True)
    event_id: Mapped[UUID] = reference("events.id", "CASCADE")
    bound_at: Mapped[datetime] = default("now()")


class RedeemableItem(Base):
    """Something a ticket may be good for: a drink, lunch, the cloakroom."""

    __tablename__ = "items"
    __table_args__ = (
        between("min_age", 1, 120),
        between("offline_units", 0, 10_000),
        Index(None, "event_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    name: Mapped[str]
    min_age: Mapped[int | None]
    position: Mapped[int] = default("0")
    created_at: Mapped[datetime] = default("now()")
    offline_units: Mapped[int] = default("0")


class RedemptionPoint(Base):
    """A bar, a counter; its item is taken where a redemption names none."""

    __tablename__ = "redemption_points"
    __table_args__ = (
        Index(None, "event_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    name: Mapped[str]
    area_id: Mapped[UUID | None] = reference("ops.areas.id", "SET NULL")
    item_id: Mapped[UUID | None] = reference("ops.items.id", "SET NULL")
    vendor: Mapped[str | None]
    created_at: Mapped[datetime] = default("now()")


class Entitlement(Base):
    """So many units of an item, for all tickets of a type or for one ticket.

    Its units are numbered from `no` * 100,000 + 1, so that no two entitlements of a
    ticket share a number, whatever is added or changed later.
    """

    __tablename__ = "entitlements"
    __table_args__ = (
        one_of("source", "type", "bundle", "add_on"),
        between("quantity", 0, 999),
        between("min_age", 1, 120),
        CheckConstraint("num_nonnulls(ticket_type_id, ticket_id) = 1", name="for_whom"),
        Index(None, "event_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    no: Mapped[int] = number()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    item_id: Mapped[UUID] = reference("ops.items.id", "CASCADE")
    ticket_type_id: Mapped[UUID | None] = reference("ticket_types.id", "CASCADE")
    ticket_id: Mapped[UUID | None] = reference("tickets.id", "CASCADE")
    source: Mapped[str] = default("'type'")
    quantity: Mapped[int] = default("1")
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    min_age: Mapped[int | None]
    created_at: Mapped[datetime] = default("now()")


class Redemption(Base):
    """One answer at a point of redemption, refusals too; no foreign keys: evidence."""

    __tablename__ = "redemptions"
    __table_args__ = (
        one_of("verdict", "redeemed", "refused", "hold"),
        between("quantity", 1, 99),
        Index(None, "event_id", "decided_at", "id"),
        Index(None, "ticket_id", "decided_at"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID]
    content_hash: Mapped[bytes]
    verdict: Mapped[str]
    reason: Mapped[str]
    quantity: Mapped[int]
    units_left: Mapped[int] = default("0")
    ticket_id: Mapped[UUID | None]
    item_id: Mapped[UUID | None]
    point_id: Mapped[UUID | None]
    device_id: Mapped[UUID | None]
    operator_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    code_hint: Mapped[str | None]
    offline: Mapped[bool] = default("false")
    redeemed_at: Mapped[datetime | None]
    decided_at: Mapped[datetime] = default("now()")
    undone_at: Mapped[datetime | None]
    undo_reason: Mapped[str | None]


class RedemptionUnit(Base):
    """One unit that was taken; the key is what keeps it from being taken twice."""

    __tablename__ = "redemption_units"
    __table_args__ = ({"schema": "ops"},)

    ticket_id: Mapped[UUID] = reference(
        "tickets.id", "CASCADE", index=False, primary_key=True
    )
    item_id: Mapped[UUID] = reference("ops.items.id", "CASCADE", primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    redemption_id: Mapped[UUID] = reference("ops.redemptions.id", "CASCADE")


class GuestList(Base):
    """A host's list: how many people, on which ticket type, approved by whom."""

    __tablename__ = "guest_lists"
    __table_args__ = (
        CheckConstraint("quota >= 0", name="quota"),
        Index(None, "event_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    name: Mapped[str]
    host: Mapped[str]
    host_user_id: Mapped[UUID | None] = reference("users.id", "SET NULL")
    ticket_type_id: Mapped[UUID] = reference("ticket_types.id")
    quota: Mapped[int]
    needs_approval: Mapped[bool] = default("false")
    closes_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = default("now()")


class GuestListEntry(Base):
    """A guest of a list with a ticket, which is blocked until it is approved."""

    __tablename__ = "guest_list_entries"
    __table_args__ = (
        UniqueConstraint("ticket_id"),
        one_of("state", "pending", "approved", "declined", "withdrawn"),
        between("people", 1, 500),
        Index(None, "list_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    list_id: Mapped[UUID] = reference("ops.guest_lists.id", "CASCADE", index=False)
    event_id: Mapped[UUID] = reference("events.id", "CASCADE")
    ticket_id: Mapped[UUID] = reference("tickets.id", "CASCADE", index=False)
    people: Mapped[int] = default("1")
    state: Mapped[str] = default("'pending'")
    asked_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    decided_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]
    created_at: Mapped[datetime] = default("now()")


class AttendeeWords(Base):
    """What the search finds an attendee by; filled by triggers."""

    __tablename__ = "attendee_words"
    __table_args__ = (
        Index(
            None,
            "words",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        ),
        {"schema": "ops"},
    )

    attendee_id: Mapped[UUID] = reference(
        "attendees.id", "CASCADE", index=False, primary_key=True
    )
    event_id: Mapped[UUID] = reference("events.id", "CASCADE")
    words: Mapped[Any] = mapped_column(TSVECTOR, nullable=False)


class NameWord(Base):
    """A word of somebody's name or company, for finding what was mistyped."""

    __tablename__ = "name_words"
    __table_args__ = (
        Index(
            None,
            "word",
            postgresql_using="gin",
            postgresql_ops={"word": "gin_trgm_ops"},
        ),
        {"schema": "ops"},
    )

    word: Mapped[str] = mapped_column(primary_key=True)
