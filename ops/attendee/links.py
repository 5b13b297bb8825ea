"""Getting in: a private link by mail, or a six-digit code to a known address."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from ops.auth.attendees import CODE_SESSION, AttendeeTokens
from ops.auth.limiter import GUESTS_BY_ADDRESS, RateLimiter
from ops.auth.tokens import short_hash
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import NotFound, Unauthenticated, Unprocessable
from ops.ids import uuid7
from ops.texts import Texts

CODE_LIVES: Final = timedelta(minutes=15)
CODES_AT_ONCE_MAX: Final = 3
TRIES_MAX: Final = 5
ASK_COST: Final = 50
"""Units of the address's bucket for a mail or a guess."""

PEOPLE: Final = """
SELECT a.id, a.email, a.first_name, e.title,
       coalesce(a.language, e.languages[1], 'en') AS language
  FROM attendees a JOIN events e ON e.id = a.event_id
 WHERE a.event_id = $1 AND a.status <> 'cancelled' AND lower(a.email) = $2
 ORDER BY a.created_at, a.id LIMIT 20
"""
ONE: Final = """
SELECT a.id, a.email, a.first_name, a.event_id,
       coalesce(a.language, e.languages[1], 'en') AS language, e.title
  FROM attendees a JOIN events e ON e.id = a.event_id
 WHERE a.id = $1 AND a.event_id = $2
"""
MAIL: Final = """
INSERT INTO ops.mails (id, event_id, kind, reference_id, recipient_id, to_address,
                       subject, body, language, created_at)
VALUES ($1, $2, $3, NULL, $4, $5, $6, $7, $8, $9)
"""
KEEP_CODE: Final = """
INSERT INTO ops.attendee_codes (id, event_id, email, code_hash, expires_at)
SELECT $1, $2, $3, $4, $5
 WHERE (SELECT count(*) FROM ops.attendee_codes
         WHERE event_id = $2 AND email = $3 AND used_at IS NULL
           AND expires_at > $6) < $7
RETURNING id
"""
# Counted before it is compared: guesses at the same time cannot outrun the limit.
TRY: Final = """
UPDATE ops.attendee_codes SET tries = tries + 1
 WHERE event_id = $1 AND email = $2 AND used_at IS NULL AND expires_at > $3
   AND tries < $4
RETURNING id, code_hash
"""
USE: Final = """
UPDATE ops.attendee_codes SET used_at = $2 WHERE id = $1 AND used_at IS NULL
RETURNING id
"""


class Links:
    """Sends links and codes, and turns a code into a session."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        limiter: RateLimiter,
        texts: Texts,
        secret_key: str,
        base_url: str,
    ) -> None:
        self._database, self._clock, self._limiter = database, clock, limiter
        self._texts, self._key, self._base_url = texts, secret_key, base_url

    async def send(self, event_id: UUID, attendee_id: UUID) -> None:
        """Mail a new private link; earlier ones go on working until revoked.

        Raises:
            NotFound: the event has no such attendee.
            Unprocessable: `no_address`.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            person = await db.fetchrow(ONE, attendee_id, event_id)
            if person is None:
                raise NotFound("The event has no such attendee.")
            if not person["email"]:
                raise Unprocessable("This attendee has no e-mail.", code="no_address")
            token = await AttendeeTokens.make(db, attendee_id, "link", None)
            link = f"{self._base_url}/me.html#{token}"
            await self._mail(db, event_id, person, "link", link=link)

    async def ask(self, event_id: UUID, email: str, address: str) -> None:
        """Mail a code to an address that belongs to somebody who comes.

        Answers alike whether it does or not: nobody can ask who attends.

        Raises:
            TooManyRequests: by network address.
        """
        await self._limiter.take(GUESTS_BY_ADDRESS, address, ASK_COST)
        email = email.strip().lower()
        async with self._database.pool.acquire() as db, db.transaction():
            people = await db.fetch(PEOPLE, event_id, email)
            if not people:
                return
            now = self._clock.now()
            code = f"{secrets.randbelow(10**6):06d}"
            kept = await db.fetchval(
                KEEP_CODE,
                *(uuid7(), event_id, email, self._hash(event_id, email, code)),
                *(now + CODE_LIVES, now, CODES_AT_ONCE_MAX),
            )
            if kept is not None:
                await self._mail(db, event_id, people[0], "code", code=code)

    async def redeem(
        self, event_id: UUID, email: str, code: str, address: str
    ) -> list[tuple[str, str]]:
        """(token, first name) of each attendee with this address.

        Raises:
            Unauthenticated: `wrong_code`, also when it is too old or tried too often.
            TooManyRequests: by network address.
        """
        await self._limiter.take(GUESTS_BY_ADDRESS, address, ASK_COST)
        email, now = email.strip().lower(), self._clock.now()
        wanted = self._hash(event_id, email, code.strip())
        rows = await self._database.pool.fetch(TRY, event_id, email, now, TRIES_MAX)
        right = next(
            (r["id"] for r in rows if secrets.compare_digest(r["code_hash"], wanted)),
            None,
        )
        if right is None:
            raise Unauthenticated("This code is not right any more.", code="wrong_code")
        async with self._database.pool.acquire() as db, db.transaction():
            if await db.fetchval(USE, right, now) is None:
                raise Unauthenticated("This code was used.", code="wrong_code")
            return [
                (
                    await AttendeeTokens.make(
                        db, person["id"], "code", now + CODE_SESSION
                    ),
                    person["first_name"],
                )
                for person in await db.fetch(PEOPLE, event_id, email)
            ]

    def _hash(self, event_id: UUID, email: str, code: str) -> bytes:
        return short_hash(self._key, f"attendee:{event_id}:{email}", code)

    async def _mail(
        self, db: Any, event_id: UUID, person: Any, kind: str, **args: str
    ) -> None:
        told = {"name": person["first_name"], "event": person["title"], **args}
        language = person["language"]
        await db.execute(
            MAIL,
            *(uuid7(), event_id, f"attendee_{kind}", person["id"], person["email"]),
            self._texts.say(language, f"mail.attendee_{kind}.subject", told),
            self._texts.say(language, f"mail.attendee_{kind}.body", told),
            *(language, self._clock.now()),
        )
