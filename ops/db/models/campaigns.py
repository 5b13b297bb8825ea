"""Campaigns and whom they reached."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Index,
    Numeric,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, default, one_of, primary_key, reference


class Campaign(Base):
    """A mailing or advertisement to a chosen audience."""

    __tablename__ = "campaigns"
    __table_args__ = (
        one_of(
            "campaign_type",
            "email",
            "sms",
            "social_media",
            "paid_ads",
            "direct_mail",
            "event_promotion",
        ),
        one_of(
            "status", "draft", "scheduled", "active", "paused", "completed", "cancelled"
        ),
        Index(None, "event_id", "created_at", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID | None] = reference("events.id", "SET NULL", index=False)
    name: Mapped[str]
    description: Mapped[str | None]
    campaign_type: Mapped[str | None]
    start_date: Mapped[date | None]
    end_date: Mapped[date | None]
    status: Mapped[str | None] = default("'draft'")
    budget: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    cost_per_click: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    cost_per_impression: Mapped[Decimal | None] = mapped_column(Numeric(8, 4))
    cost_per_acquisition: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    target_audience: Mapped[dict[str, Any] | None]
    creative_assets: Mapped[dict[str, Any] | None]
    automation_rules: Mapped[dict[str, Any] | None]
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    assigned_to: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")


class CampaignRecipient(Base):
    """What one contact received of a campaign, and did with it."""

    __tablename__ = "campaign_recipients"
    __table_args__ = (
        one_of(
            "status",
            "pending",
            "sent",
            "delivered",
            "opened",
            "clicked",
            "bounced",
            "unsubscribed",
            "complained",
        ),
        UniqueConstraint("campaign_id", "contact_id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[UUID] = primary_key()
    campaign_id: Mapped[UUID | None] = reference("campaigns.id", "CASCADE", index=False)
    contact_id: Mapped[UUID | None] = reference("contacts.id", "CASCADE")
    status: Mapped[str | None] = default("'pending'")
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    clicked_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    unsubscribed_at: Mapped[datetime | None]
    open_count: Mapped[int | None] = default("0")
    click_count: Mapped[int | None] = default("0")
    unique_opens: Mapped[int | None] = default("0")
    unique_clicks: Mapped[int | None] = default("0")
    created_at: Mapped[datetime | None] = default("now()")
    updated_at: Mapped[datetime | None] = default("now()")
