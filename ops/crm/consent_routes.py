"""Routes of the ledger of consents and of the texts that people were asked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from ops.audit.entry import Actor
from ops.auth.guards import requires
from ops.crm.consents import (
    Basis,
    Consents,
    NewConsent,
    Purpose,
    Regime,
    State,
)
from ops.listing import Page, Turn, by_id, by_time

TAGS = ["consents"]
EVIDENCE_FIELDS_MAX = 20

Zoned = Annotated[datetime, Meta(tz=True)]
Short = Annotated[str, Meta(min_length=1, max_length=100)]
Evidence = Annotated[
    dict[Annotated[str, Meta(max_length=100)], Annotated[str, Meta(max_length=2_000)]],
    Meta(
        max_length=EVIDENCE_FIELDS_MAX,
        description="What proves it: address, form, wording. Sealed for this person.",
        examples=[{"ip": "203.0.113.9", "form": "newsletter footer"}],
    ),
]


class ConsentBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A consent given or taken back."""

    purpose: Annotated[Purpose, Meta(examples=["email"])]
    state: Annotated[State, Meta(examples=["granted"])]
    source: Annotated[Short, Meta(examples=["web form"])]
    basis: Basis = "express"
    regime: Regime | None = None
    text_id: UUID | None = None
    event_id: UUID | None = None
    given_at: Zoned | None = None
    expires_at: Zoned | None = None
    evidence: Evidence | None = None


class ConsentView(msgspec.Struct):
    """A row of the ledger."""

    id: UUID
    contact_id: UUID
    purpose: str
    state: str
    basis: str
    regime: str | None
    source: str
    text_id: UUID | None
    event_id: UUID | None
    given_at: datetime
    expires_at: datetime | None
    recorded_by: UUID | None
    created_at: datetime


class CurrentConsentView(msgspec.Struct):
    """What holds now for a purpose."""

    purpose: str
    allowed: bool
    state: str
    basis: str
    regime: str | None
    source: str
    text_id: UUID | None
    text_version: str | None
    text_language: str | None
    given_at: datetime
    expires_at: datetime | None


class TextBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A wording; a change of it is a new version."""

    purpose: Annotated[Purpose, Meta(examples=["email"])]
    version: Annotated[Short, Meta(examples=["2026-11"])]
    language: Annotated[str, Meta(pattern=r"^[a-z]{2}$", examples=["fr"])] = "en"
    body: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=20_000,
            examples=["Yes, write to me about the next conference."],
        ),
    ]


class TextView(msgspec.Struct):
    """A wording as it was shown."""

    id: UUID
    purpose: str
    version: str
    language: str
    body: str
    created_at: datetime


@post(
    "/contacts/{contact_id:uuid}/consents",
    guards=[requires("contacts", "write")],
    opt={"idempotent": True},
    summary="Write down that a person allowed something, or took it back",
    tags=TAGS,
)
async def add_consent(
    contact_id: FromPath[UUID],
    data: JSONBody[ConsentBody],
    actor: NamedDependency[Actor],
    consents: NamedDependency[Consents],
) -> ConsentView:
    """Answer 201 with the row; the contact's flags follow at once."""
    new = msgspec.convert(msgspec.structs.asdict(data), NewConsent)
    return _consent(await consents.add(actor, contact_id, new))


@get(
    "/contacts/{contact_id:uuid}/consents",
    guards=[requires("contacts", "read")],
    summary="All consents of a contact, newest first",
    tags=TAGS,
)
async def list_consents(
    contact_id: FromPath[UUID],
    consents: NamedDependency[Consents],
    turn: NamedDependency[Turn],
) -> Page[ConsentView]:
    """A page of the ledger."""
    rows = await consents.page(contact_id, turn.start, turn.limit)
    return turn.page(rows, _consent, by_time("given_at"))


@get(
    "/contacts/{contact_id:uuid}/consents/current",
    guards=[requires("contacts", "read")],
    summary="What a contact allows now, by purpose",
    tags=TAGS,
)
async def current_consents(
    contact_id: FromPath[UUID], consents: NamedDependency[Consents]
) -> list[CurrentConsentView]:
    """One entry for each purpose that was ever asked."""
    rows = await consents.current(contact_id)
    return [msgspec.convert(dict(row), CurrentConsentView) for row in rows]


@post(
    "/consent-texts",
    guards=[requires("settings", "write")],
    opt={"idempotent": True},
    summary="Keep a wording of a consent",
    tags=TAGS,
)
async def add_text(
    data: JSONBody[TextBody],
    actor: NamedDependency[Actor],
    consents: NamedDependency[Consents],
) -> TextView:
    """Answer 201; 409 if this version exists in this language."""
    row = await consents.add_text(
        actor, data.purpose, data.version, data.language, data.body
    )
    return _text(row)


@get(
    "/consent-texts",
    guards=[requires("contacts", "read")],
    summary="The wordings of consents",
    tags=TAGS,
)
async def list_texts(
    consents: NamedDependency[Consents],
    turn: NamedDependency[Turn],
) -> Page[TextView]:
    """Oldest first."""
    rows = await consents.texts(turn.after_id, turn.limit)
    return turn.page(rows, _text, by_id)


def _consent(row: Any) -> ConsentView:
    return msgspec.convert(dict(row), ConsentView)


def _text(row: Any) -> TextView:
    return msgspec.convert(dict(row), TextView)


ROUTES = (add_consent, list_consents, current_consents, add_text, list_texts)
