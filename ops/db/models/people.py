"""People and organisations: the contacts of the CRM, the companies, the profiles."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    Index,
    Numeric,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import (
    Base,
    between,
    default,
    one_of,
    primary_key,
    reference,
    search_index,
)


class Profile(Base):
    """A person's own page: language, time zone, picture."""

    __tablename__ = "profiles"
    __table_args__ = (Index(None, "created_at", "id"),)

    id: Mapped[UUID] = primary_key()
    email: Mapped[str] = mapped_column(unique=True)
    full_name: Mapped[str | None]
    avatar_url: Mapped[str | None]
    phone: Mapped[str | None]
    language: Mapped[str] = default("'en'")
    timezone: Mapped[str] = default("'America/Toronto'")
    created_at: Mapped[datetime] = default("now()")
    updated_at: Mapped[datetime] = default("now()")


class Contact(Base):
    """A person of the CRM; one per normalised e-mail address."""

    __tablename__ = "contacts"
    __table_args__ = (
        one_of("gender", "male", "female", "other", "prefer_not_to_say"),
        one_of("contact_type", "individual", "business", "vip"),
        between("lead_score", 0, 100),
        one_of("status", "active", "inactive", "blocked", "deleted"),
        Index(None, "created_at", "id"),
        Index(None, "phone_normal"),
        Index(
            "ix_contacts_phone_to_read",
            "id",
            postgresql_where=text("phone IS NOT NULL AND phone_normal IS NULL"),
        ),
        Index("ix_contacts_vip", "id", postgresql_where=text("contact_type = 'vip'")),
        Index(None, "tags", postgresql_using="gin"),
        Index(
            "ix_contacts_full_name_trigrams",
            literal_column("lower((first_name || ' '::text) || last_name)").label(
                "full_name"
            ),
            postgresql_using="gin",
            postgresql_ops={"full_name": "gin_trgm_ops"},
        ),
        Index(
            "ix_contacts_mailbox",
            text(r"lower(regexp_replace(email, '(\+[^@]*)?@', '@'))"),
        ),
        search_index("contacts", "first_name last_name email phone"),
        Index(None, "last_name", "id"),
        Index(None, "lead_score", "id"),
    )

    id: Mapped[UUID] = primary_key()
    profile_id: Mapped[UUID | None] = reference("profiles.id", "CASCADE")
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    phone: Mapped[str | None]
    date_of_birth: Mapped[date | None]
    gender: Mapped[str | None]
    address_line1: Mapped[str | None]
    address_line2: Mapped[str | None]
    city: Mapped[str | None]
    state_province: Mapped[str | None]
    postal_code: Mapped[str | None]
    country: Mapped[str | None] = default("'Canada'")
    contact_type: Mapped[str | None] = default("'individual'")
    lead_source: Mapped[str | None]
    lead_score: Mapped[int | None] = default("0")
    status: Mapped[str | None] = default("'active'")
    job_title: Mapped[str | None]
    company_id: Mapped[UUID | None] = reference("companies.id", "SET NULL")
    industry: Mapped[str | None]
    annual_income_range: Mapped[str | None]
    marketing_consent: Mapped[bool | None] = default("false")
    email_consent: Mapped[bool | None] = default("false")
    sms_consent: Mapped[bool | None] = default("false")
    phone_consent: Mapped[bool | None] = default("false")
    assigned_to: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    last_contacted_at: Mapped[datetime | None]
    last_event_attended_at: Mapped[datetime | None]
    phone_normal: Mapped[str | None]
    tags: Mapped[list[str]] = default("'{}'")
    merged_into_id: Mapped[UUID | None] = reference("contacts.id", "SET NULL")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class Company(Base):
    """An organisation."""

    __tablename__ = "companies"
    __table_args__ = (
        one_of("company_size", "startup", "small", "medium", "large", "enterprise"),
        one_of("account_type", "prospect", "customer", "partner", "vendor"),
        one_of("priority", "low", "medium", "high"),
        Index(None, "created_at", "id"),
        search_index("companies", "name legal_name website email"),
        Index(None, "name", "id"),
    )

    id: Mapped[UUID] = primary_key()
    name: Mapped[str]
    legal_name: Mapped[str | None]
    industry: Mapped[str | None]
    company_size: Mapped[str | None]
    website: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    address_line1: Mapped[str | None]
    address_line2: Mapped[str | None]
    city: Mapped[str | None]
    state_province: Mapped[str | None]
    postal_code: Mapped[str | None]
    country: Mapped[str | None] = default("'Canada'")
    annual_revenue: Mapped[Decimal | None] = mapped_column(Numeric(15, 2))
    employee_count: Mapped[int | None]
    founded_year: Mapped[int | None]
    tax_id: Mapped[str | None]
    account_type: Mapped[str | None] = default("'prospect'")
    priority: Mapped[str | None] = default("'medium'")
    primary_contact_id: Mapped[UUID | None] = reference(
        "contacts.id", "SET NULL", use_alter=True
    )
    assigned_to: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")
