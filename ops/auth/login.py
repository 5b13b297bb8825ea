"""Signing in with e-mail and password.

The answer to a wrong password, an unknown e-mail and a locked account is the same,
word for word and in time: nobody learns from it who has an account.
"""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from typing import Any
from uuid import UUID

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor, Entry
from ops.auth import queries
from ops.auth.guards import network_address
from ops.auth.limiter import LOGIN_BY_ACCOUNT, LOGIN_BY_ADDRESS, RateLimiter
from ops.auth.passwords import Passwords
from ops.auth.sessions import Kind, Opened, StaffSessions
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import Unauthenticated

ATTEMPTS_MAX = 10
"""Failed attempts until `users.locked_until` is set."""
LOCK = timedelta(minutes=15)


class LoginFailed(Unauthenticated):
    """The e-mail or the password is wrong, or too many attempts locked the account."""

    code = "invalid_credentials"


class Logins:
    """Turns an e-mail and a password into a session."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        passwords: Passwords,
        sessions: StaffSessions,
        limiter: RateLimiter,
        auditor: Auditor,
    ) -> None:
        self._database, self._clock = database, clock
        self._passwords, self._sessions = passwords, sessions
        self._limiter, self._auditor = limiter, auditor

    async def sign_in(
        self, email: str, password: str, kind: Kind, address: str, user_agent: str
    ) -> Opened:
        """Check and open a session.

        Raises:
            LoginFailed: for whatever reason.
            TooManyRequests: by account, by address, or too many at once.
        """
        email = normal_email(email)
        await self._limiter.take(LOGIN_BY_ADDRESS, address)
        await self._limiter.take(LOGIN_BY_ACCOUNT, email)
        now = self._clock.now()
        # Text that cannot be stored belongs to nobody; it takes as long all the same.
        row = None
        if storable(email):
            row = await self._database.pool.fetchrow(
                queries.TAKE_ATTEMPT, email, now, ATTEMPTS_MAX, LOCK
            )
        stored: str | None = row["password_hash"] if row else None
        right = await self._passwords.check(stored, password)
        if not right or row is None:
            # Of an unknown or locked account only the address is told.
            await self._told(
                self._database.pool, "login.failed", row["id"] if row else None, address
            )
            raise LoginFailed()
        user_id: UUID = row["id"]
        async with (
            self._database.pool.acquire() as connection,
            connection.transaction(),
        ):
            await connection.execute(queries.ATTEMPT_SUCCEEDED, user_id, now)
            await self._told(connection, "login.succeeded", user_id, address)
            return await self._sessions.open(connection, user_id, kind, user_agent)

    async def _told(
        self, connection: Any, action: str, user_id: UUID | None, address: str
    ) -> None:
        actor = Actor("user", user_id, network_address(address))
        await self._auditor.record(
            connection, Entry(actor, action, "users" if user_id else None, user_id)
        )


def normal_email(text: str) -> str:
    """An e-mail address as it is stored: NFC, trimmed, lower case."""
    return unicodedata.normalize("NFC", text).strip().lower()


def storable(text: str) -> bool:
    """Whether PostgreSQL can hold the text: no NUL, no lone surrogate."""
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
