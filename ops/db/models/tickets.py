"""What was sold and who holds it: types, orders, attendees, tickets."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Index,
    Numeric,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column, relationship

from ops.db.base import (
    Base,
    between,
    default,
    number,
    one_of,
    primary_key,
    reference,
    search_index,
)


def money() -> MappedColumn[Any]:
    """An amount in the row's currency, 0 by default."""
    return mapped_column(Numeric(10, 2), server_default=text("0"))


ACCESS_CLASSES = (
    "guest",
    "crew",
    "artist",
    "press",
    "exhibitor",
    "emergency",
    "companion",
    "child",
)


class TicketType(Base):
    """What is on sale; `no` is its name in the packed cache."""

    __tablename__ = "ticket_types"
    __table_args__ = (
        one_of("access_class", *ACCESS_CLASSES),
        CheckConstraint("admits >= 1", name="admits"),
        between("min_age", 1, 120),
        one_of("after_exchange", "medium", "both"),
        one_of(
            "ticket_category",
            "general",
            "vip",
            "early_bird",
            "student",
            "group",
            "sponsor",
            "speaker",
        ),
        one_of("status", "active", "inactive", "sold_out"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE", index=False)
    name: Mapped[str]
    description: Mapped[str | None]
    ticket_category: Mapped[str | None]
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    currency: Mapped[str | None] = default("'CAD'")
    tax_rate: Mapped[Decimal | None] = mapped_column(
        Numeric(5, 2), server_default=text("0.13")
    )
    total_capacity: Mapped[int | None]
    sold_count: Mapped[int | None] = default("0")
    reserved_count: Mapped[int | None] = default("0")
    sale_start_date: Mapped[datetime | None]
    sale_end_date: Mapped[datetime | None]
    features: Mapped[list[str] | None]
    benefits: Mapped[list[str] | None]
    status: Mapped[str | None] = default("'active'")
    no: Mapped[int] = number()
    access_class: Mapped[str] = default("'guest'")
    admits: Mapped[int] = default("1")
    min_age: Mapped[int | None]
    after_exchange: Mapped[str] = default("'medium'")
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class Order(Base):
    """A purchase; its totals are what was agreed, `amount_paid` is what came in."""

    __tablename__ = "orders"
    __table_args__ = (
        one_of(
            "status",
            "pending",
            "paid",
            "cancelled",
            "refunded",
            "partially_refunded",
            "expired",
        ),
        UniqueConstraint("event_id", "order_number"),
        Index(None, "event_id", "external_ref"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
        search_index("orders", "order_number external_ref"),
        Index(None, "placed_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    contact_id: Mapped[UUID | None] = reference("contacts.id", "SET NULL")
    profile_id: Mapped[UUID | None] = reference("profiles.id", "SET NULL")
    promoter_id: Mapped[UUID | None] = reference("promoters.id", "SET NULL")
    voucher_id: Mapped[UUID | None] = reference("vouchers.id", "SET NULL")
    opportunity_id: Mapped[UUID | None] = reference(
        "opportunities.id", "SET NULL", index=False, unique=True
    )
    order_number: Mapped[str]
    currency: Mapped[str] = default("'CAD'")
    subtotal: Mapped[Decimal] = money()
    discount_total: Mapped[Decimal] = money()
    tax_total: Mapped[Decimal] = money()
    total: Mapped[Decimal] = money()
    amount_paid: Mapped[Decimal] = money()
    status: Mapped[str] = default("'pending'")
    stripe_payment_intent_id: Mapped[str | None] = mapped_column(unique=True)
    stripe_checkout_session_id: Mapped[str | None] = mapped_column(unique=True)
    source: Mapped[str] = default("'direct'")
    external_ref: Mapped[str | None]
    language: Mapped[str | None]
    placed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = default("now()")
    updated_at: Mapped[datetime] = default("now()")

    tickets: Mapped[list[Ticket]] = relationship(back_populates="order", lazy="raise")


class Attendee(Base):
    """Somebody who comes, by the name on the ticket; the contact may be the buyer."""

    __tablename__ = "attendees"
    __table_args__ = (
        one_of("status", "registered", "checked_in", "left", "no_show", "cancelled"),
        Index(None, "event_id", "email"),
        Index(None, "event_id", "last_name", "first_name", "id"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
        search_index("attendees", "first_name last_name email company"),
        Index(None, "last_name", "id"),
        Index(
            "ix_attendees_birth_date",
            "birth_date",
            postgresql_where=text("birth_date IS NOT NULL"),
        ),
        Index(
            "ix_attendees_phone_end",
            text("right(regexp_replace(phone, '[^0-9]', '', 'g'), 9)"),
            postgresql_where=text("phone IS NOT NULL"),
        ),
        # Room on each page: the status follows everybody's entry and exit, and must not
        # write to all these indexes again.
        {"postgresql_with": {"fillfactor": 85}},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    contact_id: Mapped[UUID | None] = reference("contacts.id", "SET NULL")
    order_id: Mapped[UUID | None] = reference("orders.id", "SET NULL")
    first_name: Mapped[str]
    last_name: Mapped[str] = default("''")
    email: Mapped[str | None]
    email_as_given: Mapped[str | None]
    phone: Mapped[str | None]
    company: Mapped[str | None]
    job_title: Mapped[str | None]
    language: Mapped[str | None]
    status: Mapped[str] = default("'registered'")
    flags: Mapped[list[str]] = default("'{}'")
    notes: Mapped[list[str]] = default("'{}'")
    accessibility_needs: Mapped[str | None]
    birth_date: Mapped[date | None]
    date_of_birth_known: Mapped[bool] = mapped_column(
        Computed("birth_date IS NOT NULL", persisted=True)
    )
    custom: Mapped[dict[str, Any]] = default("'{}'")
    created_at: Mapped[datetime] = default("now()")
    updated_at: Mapped[datetime] = default("now()")
    networking_visible: Mapped[bool] = default("false")
    headline: Mapped[str | None]

    tickets: Mapped[list[Ticket]] = relationship(
        back_populates="attendee", lazy="raise"
    )


class Ticket(Base):
    """A right to enter: one row for life, whatever happens to its codes and holder.

    `version` rises with every change that a door must know; triggers see to it.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        one_of(
            "state",
            "valid",
            "pending",
            "unpaid",
            "cancelled",
            "refunded",
            "expired",
            "blocked",
        ),
        one_of("access_class", *ACCESS_CLASSES),
        CheckConstraint("admits >= 1", name="admits"),
        CheckConstraint("amount_due >= 0", name="amount_due"),
        Index(
            "ix_tickets_event_id_access_class",
            "event_id",
            "access_class",
            postgresql_where=text("access_class <> 'guest'"),
        ),
        Index(None, "event_id", "external_ref"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    order_id: Mapped[UUID | None] = reference("orders.id", "SET NULL")
    attendee_id: Mapped[UUID | None] = reference("attendees.id", "SET NULL")
    ticket_type_id: Mapped[UUID] = reference("ticket_types.id")
    state: Mapped[str] = default("'valid'")
    blocked_reason: Mapped[str | None]
    blocked_from: Mapped[str | None]
    access_class: Mapped[str] = default("'guest'")
    admits: Mapped[int] = default("1")
    price: Mapped[Decimal] = money()
    currency: Mapped[str] = default("'CAD'")
    seat_label: Mapped[str | None]
    amount_due: Mapped[Decimal] = money()
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]
    external_ref: Mapped[str | None]
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    created_at: Mapped[datetime] = default("now()")
    updated_at: Mapped[datetime] = default("now()")

    order: Mapped[Order | None] = relationship(back_populates="tickets", lazy="raise")
    attendee: Mapped[Attendee | None] = relationship(
        back_populates="tickets", lazy="raise"
    )
    ticket_type: Mapped[TicketType] = relationship(lazy="raise")
