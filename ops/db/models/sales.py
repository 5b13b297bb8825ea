"""Ways to sell: bundles, vouchers, promoters and what they earn."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Index,
    Numeric,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, default, one_of, primary_key, reference


class Bundle(Base):
    """Several tickets sold as one."""

    __tablename__ = "bundles"
    __table_args__ = (
        one_of(
            "bundle_type", "ticket_package", "experience_package", "corporate_package"
        ),
        one_of("status", "active", "inactive", "sold_out"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "CASCADE", index=False)
    name: Mapped[str]
    description: Mapped[str | None]
    bundle_type: Mapped[str | None]
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    currency: Mapped[str | None] = default("'CAD'")
    discount_amount: Mapped[Decimal | None] = mapped_column(
        Numeric(10, 2), server_default=text("0")
    )
    discount_percentage: Mapped[Decimal | None] = mapped_column(
        Numeric(5, 2), server_default=text("0")
    )
    total_quantity: Mapped[int | None]
    sold_quantity: Mapped[int | None] = default("0")
    sale_start_date: Mapped[datetime | None]
    sale_end_date: Mapped[datetime | None]
    benefits: Mapped[list[str] | None]
    exclusive_access: Mapped[list[str] | None]
    status: Mapped[str | None] = default("'active'")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class BundleItem(Base):
    """How many tickets of a type a bundle holds."""

    __tablename__ = "bundle_items"
    __table_args__ = (
        UniqueConstraint("bundle_id", "ticket_type_id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    bundle_id: Mapped[UUID | None] = reference("bundles.id", "CASCADE", index=False)
    ticket_type_id: Mapped[UUID | None] = reference("ticket_types.id", "CASCADE")
    quantity: Mapped[int] = default("1")
    included_features: Mapped[list[str] | None]
    created_at: Mapped[datetime | None] = default("now()")


class Voucher(Base):
    """A code that lowers a price; a trigger checks `applicable_ticket_types`."""

    __tablename__ = "vouchers"
    __table_args__ = (
        one_of("discount_type", "percentage", "fixed_amount", "free_ticket"),
        one_of("status", "active", "inactive", "expired", "exhausted"),
        Index(None, "applicable_ticket_types", postgresql_using="gin"),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "SET NULL", index=False)
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str | None]
    description: Mapped[str | None]
    discount_type: Mapped[str | None]
    discount_value: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    max_discount_amount: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    min_purchase_amount: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    usage_limit: Mapped[int | None]
    usage_count: Mapped[int | None] = default("0")
    usage_limit_per_customer: Mapped[int | None] = default("1")
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]
    applicable_ticket_types: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    customer_restrictions: Mapped[dict[str, Any] | None]
    status: Mapped[str | None] = default("'active'")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class Promoter(Base):
    """Somebody who sells for a commission."""

    __tablename__ = "promoters"
    __table_args__ = (
        one_of("commission_type", "percentage", "fixed_amount"),
        one_of("status", "active", "inactive", "suspended"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    contact_id: Mapped[UUID | None] = reference("contacts.id", "CASCADE")
    promoter_code: Mapped[str] = mapped_column(unique=True)
    company_name: Mapped[str | None]
    tax_id: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    address: Mapped[str | None]
    commission_type: Mapped[str | None]
    commission_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    commission_cap: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    total_sales: Mapped[Decimal | None] = mapped_column(
        Numeric(12, 2), server_default=text("0")
    )
    total_commission: Mapped[Decimal | None] = mapped_column(
        Numeric(10, 2), server_default=text("0")
    )
    total_events: Mapped[int | None] = default("0")
    status: Mapped[str | None] = default("'active'")
    permissions: Mapped[dict[str, Any] | None] = default("'{}'")
    assigned_to: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class PromoterCommission(Base):
    """What a promoter earned with an order."""

    __tablename__ = "promoter_commissions"
    __table_args__ = (
        one_of("status", "pending", "approved", "paid", "cancelled"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    promoter_id: Mapped[UUID | None] = reference("promoters.id", "CASCADE")
    order_id: Mapped[UUID | None] = reference("orders.id", "CASCADE")
    ticket_id: Mapped[UUID | None] = reference("tickets.id", "SET NULL")
    commission_amount: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    commission_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    base_amount: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    status: Mapped[str | None] = default("'pending'")
    paid_at: Mapped[datetime | None]
    payment_reference: Mapped[str | None]
    approved_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    approved_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")
