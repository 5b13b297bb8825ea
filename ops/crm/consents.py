"""The ledger of consents: who allowed what, when, on which text, from where.

Rows are only added; the newest row of a purpose counts, until it expires. The flags of
`contacts` follow the ledger by triggers (`ops/db/sql/crm_people.sql`), whoever writes.

| law | what it asks for | how it is kept |
|---|---|---|
| CASL (Canada) | express, or implied with an end (24 months) | `basis`, `expires_at` |
| GDPR (EU) | proof of who agreed to which text | `text_id` is required |
| PIPEDA (Canada) | purpose named, taken back at any time | `purpose`, a new row |
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor, Entry, Person
from ops.clock import Clock
from ops.db.engine import Pooled
from ops.errors import FieldProblem, NotFound, Unprocessable
from ops.ids import uuid7
from ops.listing import Start

Purpose = Literal[
    "marketing",
    "email",
    "sms",
    "phone",
    "profiling",
    "photos",
    "sponsor_sharing",
    "networking",
]
State = Literal["granted", "withdrawn"]
Basis = Literal["express", "implied", "contract", "legitimate_interest"]
Regime = Literal["casl", "gdpr", "pipeda"]

IMPLIED_CASL: Final = timedelta(days=730)
"""An existing business relationship allows for two years."""
CLOCK_SLACK: Final = timedelta(minutes=5)
CALL_TIMEOUT_S: Final = 10.0

CONTACT: Final = """
SELECT id FROM contacts WHERE id = $1 FOR KEY SHARE
"""
TEXT: Final = "SELECT purpose FROM ops.consent_texts WHERE id = $1"
INSERT: Final = """
INSERT INTO ops.consents (id, contact_id, purpose, state, basis, regime, source,
                          text_id, event_id, given_at, expires_at, recorded_by, key_id,
                          evidence)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
RETURNING id, contact_id, purpose, state, basis, regime, source, text_id, event_id,
          given_at, expires_at, recorded_by, created_at
"""
PAGE: Final = """
SELECT id, contact_id, purpose, state, basis, regime, source, text_id, event_id,
       given_at, expires_at, recorded_by, created_at
  FROM ops.consents
 WHERE contact_id = $1
   AND ($2::timestamptz IS NULL OR (given_at, id) < ($2, $3))
 ORDER BY given_at DESC, id DESC LIMIT $4
"""
CURRENT: Final = """
SELECT DISTINCT ON (c.purpose) c.purpose, c.state, c.basis, c.regime, c.source,
       c.text_id, t.version AS text_version, t.language AS text_language, c.given_at,
       c.expires_at,
       c.state = 'granted' AND (c.expires_at IS NULL OR c.expires_at > $2) AS allowed
  FROM ops.consents c LEFT JOIN ops.consent_texts t ON t.id = c.text_id
 WHERE c.contact_id = $1
 ORDER BY c.purpose, c.given_at DESC, c.id DESC
"""
INSERT_TEXT: Final = """
INSERT INTO ops.consent_texts (id, purpose, version, language, body)
VALUES ($1, $2, $3, $4, $5)
RETURNING id, purpose, version, language, body, created_at
"""
TEXTS: Final = """
SELECT id, purpose, version, language, body, created_at FROM ops.consent_texts
 WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2
"""


class NewConsent(msgspec.Struct, frozen=True, kw_only=True):
    """What is written into the ledger."""

    purpose: Purpose
    state: State
    source: str
    basis: Basis = "express"
    regime: Regime | None = None
    text_id: UUID | None = None
    event_id: UUID | None = None
    given_at: datetime | None = None
    expires_at: datetime | None = None
    evidence: dict[str, str] | None = None


def refused(new: NewConsent, now: datetime) -> FieldProblem | None:
    """Why a row would prove nothing; None if it may be written."""
    if new.given_at is not None and new.given_at > now + CLOCK_SLACK:
        return FieldProblem("given_at", "in_the_future", "Nobody has agreed yet.")
    if new.state == "granted" and new.regime == "gdpr" and new.text_id is None:
        return FieldProblem(
            "text_id", "text_required", "Under the GDPR, name the text agreed to."
        )
    given_at = new.given_at or now
    if new.expires_at is not None and new.expires_at <= given_at:
        return FieldProblem("expires_at", "before_given_at", "It ends before it began.")
    if new.regime == "casl" and new.basis == "legitimate_interest":
        return FieldProblem(
            "basis",
            "not_allowed",
            "CASL knows express and implied consent.",
            ["express", "implied", "contract"],
        )
    return None


def ends_at(new: NewConsent, given_at: datetime) -> datetime | None:
    """When it ends: as said, or after 24 months if CASL only implies it."""
    implied = new.regime == "casl" and new.basis == "implied"
    if new.expires_at is None and new.state == "granted" and implied:
        return given_at + IMPLIED_CASL
    return new.expires_at


class Consents:
    """Adds to the ledger and reads it."""

    def __init__(self, database: Pooled, auditor: Auditor, clock: Clock) -> None:
        self._database, self._auditor, self._clock = database, auditor, clock

    async def add(self, actor: Actor, contact_id: UUID, new: NewConsent) -> Any:
        """Write a row; the contact's flags follow in the same transaction.

        Raises:
            NotFound: no such contact.
            Unprocessable: the row would prove nothing; the text is of another purpose.
        """
        now = self._clock.now()
        problem = refused(new, now)
        if problem is not None:
            raise Unprocessable(problem.detail, code=problem.code, errors=[problem])
        given_at = new.given_at or now
        async with self._database.pool.acquire() as db, db.transaction():
            await self._auditor.act_as(db, actor)
            if await db.fetchval(CONTACT, contact_id, timeout=CALL_TIMEOUT_S) is None:
                raise NotFound("There is no such contact.")
            if new.text_id is not None:
                asked = await db.fetchval(TEXT, new.text_id, timeout=CALL_TIMEOUT_S)
                if asked != new.purpose:
                    problem = FieldProblem(
                        "text_id", "wrong_text", "This text asks for something else."
                    )
                    raise Unprocessable(problem.detail, errors=[problem])
            key = None
            if new.evidence:
                person = Person("contact", contact_id)
                key = (await self._auditor.keys.of(db, [person]))[contact_id]
            row = await db.fetchrow(
                INSERT,
                uuid7(),
                contact_id,
                new.purpose,
                new.state,
                new.basis,
                new.regime,
                new.source,
                new.text_id,
                new.event_id,
                given_at,
                ends_at(new, given_at),
                actor.id if actor.kind == "user" else None,
                key.id if key else None,
                key.seal(new.evidence) if key else None,
                timeout=CALL_TIMEOUT_S,
            )
            await self._auditor.record(
                db,
                Entry(
                    actor,
                    "consents.create",
                    "contacts",
                    contact_id,
                    new.event_id,
                    detail={"purpose": new.purpose, "state": new.state},
                ),
            )
        return row

    async def page(self, contact_id: UUID, start: Start, limit: int) -> list[Any]:
        """At most `limit + 1` rows of a contact, newest first."""
        return list(
            await self._database.pool.fetch(
                PAGE,
                contact_id,
                *start,
                limit + 1,
                timeout=CALL_TIMEOUT_S,
            )
        )

    async def current(self, contact_id: UUID) -> list[Any]:
        """The newest row of each purpose, and whether it allows now."""
        return list(
            await self._database.pool.fetch(
                CURRENT, contact_id, self._clock.now(), timeout=CALL_TIMEOUT_S
            )
        )

    async def add_text(
        self, actor: Actor, purpose: Purpose, version: str, language: str, body: str
    ) -> Any:
        """Keep a wording.

        Raises:
            asyncpg.UniqueViolationError: this version exists in this language.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            row = await db.fetchrow(
                INSERT_TEXT,
                uuid7(),
                purpose,
                version,
                language,
                body,
                timeout=CALL_TIMEOUT_S,
            )
            assert row is not None, "an insert returns its row"
            detail = {"purpose": purpose, "version": version, "language": language}
            entry = Entry(
                actor, "consent_texts.create", "consent_texts", row["id"], detail=detail
            )
            await self._auditor.record(db, entry)
        return row

    async def texts(self, after: UUID | None, limit: int) -> list[Any]:
        """At most `limit + 1` wordings, oldest first."""
        return list(
            await self._database.pool.fetch(
                TEXTS, after, limit + 1, timeout=CALL_TIMEOUT_S
            )
        )
