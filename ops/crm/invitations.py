"""How a new user gets a password: a link that works once, for three days.

`invite` answers the secret once and stores its hash; another ends the one before.
`accept` sets the password. The mail that carries the link is another part's business.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from ops.auth.limiter import PAIR_BY_ADDRESS, RateLimiter
from ops.auth.passwords import Passwords
from ops.auth.tokens import TOKEN_LENGTH_MAX, token_hash
from ops.clock import Clock
from ops.crm.changes import Actor, Change
from ops.crm.pool import CrmPool
from ops.crm.reach import reach_of
from ops.crm.resources import BY_NAME
from ops.crm.team import users as may_touch
from ops.errors import NotFound, Unprocessable
from ops.ids import token, uuid7

LIVES: Final = timedelta(days=3)

USER: Final = "SELECT id, role_id, status FROM users WHERE id = $1 FOR UPDATE"
END_OTHERS: Final = """
UPDATE ops.user_invitations SET used_at = $2 WHERE user_id = $1 AND used_at IS NULL
"""
INSERT: Final = """
INSERT INTO ops.user_invitations (id, user_id, token_hash, created_by, created_at,
                                  expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""
TAKE: Final = """
UPDATE ops.user_invitations i SET used_at = $2
  FROM users u
 WHERE i.token_hash = $1 AND i.used_at IS NULL AND i.expires_at > $2
   AND u.id = i.user_id AND u.status = 'active'
RETURNING i.user_id, u.email
"""
SET_PASSWORD: Final = """
UPDATE users SET password_hash = $2, failed_login_attempts = 0, locked_until = NULL
 WHERE id = $1
"""


class Invited(NamedTuple):
    """The secret of a link, shown once."""

    token: str
    expires_at: datetime


class Invitations:
    """Makes and takes invitations."""

    def __init__(
        self, pool: CrmPool, clock: Clock, passwords: Passwords, limiter: RateLimiter
    ) -> None:
        self._pool, self._clock = pool, clock
        self._passwords, self._limiter = passwords, limiter

    async def invite(self, actor: Actor, user_id: UUID) -> Invited:
        """Make a link for a user whom the actor may touch.

        Raises:
            NotFound, Forbidden: as for a change of the user.
            Unprocessable: the user is not active.
        """
        resource = BY_NAME["users"]
        reach_of(actor.staff, resource, "write")
        now = self._clock.now()
        invited = Invited(token("invite"), now + LIVES)
        async with self._pool.pool.acquire() as db, db.transaction():
            row = await db.fetchrow(USER, user_id)
            if row is None:
                raise NotFound()
            change = Change(actor, resource, "update", user_id, {}, before=dict(row))
            await may_touch(db, change)
            if row["status"] != "active":
                raise Unprocessable("The user is not active.", code="not_active")
            await db.execute(END_OTHERS, user_id, now)
            await db.execute(
                INSERT,
                uuid7(),
                user_id,
                token_hash(invited.token),
                actor.staff.user_id,
                now,
                invited.expires_at,
            )
        return invited

    async def accept(self, secret: str, password: str, address: str) -> str:
        """Set the password; returns the e-mail address to sign in with.

        Raises:
            NotFound: the link is unknown, used or too old.
            Unprocessable: the password's length.
        """
        await self._limiter.take(PAIR_BY_ADDRESS, address)
        if len(secret) > TOKEN_LENGTH_MAX:
            raise NotFound("This link is not valid any more.", code="bad_invitation")
        stored = await self._passwords.hash(password)
        async with self._pool.pool.acquire() as db, db.transaction():
            row: Any = await db.fetchrow(TAKE, token_hash(secret), self._clock.now())
            if row is None:
                raise NotFound(
                    "This link is not valid any more.", code="bad_invitation"
                )
            await db.execute(SET_PASSWORD, row["user_id"], stored)
        email: str = row["email"]
        return email
