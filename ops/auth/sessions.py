"""Staff sessions: tokens with an end, remembered for at most a second.

PostgreSQL holds the hash; the process remembers the answer for `FRESH_S`, so a
logout or a change of role holds everywhere within a second.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from ops.auth import queries
from ops.auth.permissions import Granted, Permissions
from ops.auth.subjects import Membership, Nobody, Staff
from ops.auth.tokens import STAFF_PREFIX, token_hash
from ops.clock import Clock
from ops.db.engine import Database
from ops.ids import token, uuid7
from ops.patience import within

FRESH_S = 1.0
REMEMBERED_MAX = 10_000
LOOK_UP_TIMEOUT_S = 2.0
LIFETIME = timedelta(hours=12)
"""A long shift; the next day one signs in again."""
USER_AGENT_LENGTH_MAX = 300

FORGED = Nobody("invalid_token", "The token is not valid.")
_EXPIRED = Nobody("token_expired", "The session is over; sign in again.")
_REVOKED = Nobody("token_revoked", "The session was ended; sign in again.")

_permissions = msgspec.json.Decoder(dict[str, dict[str, Granted]])
_memberships = msgspec.json.Decoder(tuple[Membership, ...])

Kind = Literal["bearer", "cookie"]


class Opened(NamedTuple):
    """A new session; both secrets are shown once and stored as hashes."""

    token: str
    csrf_token: str
    expires_at: datetime


class _Remembered(NamedTuple):
    subject: Staff | Nobody
    until_s: float


class StaffSessions:
    """Opens, finds and ends sessions."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()

    async def subject(self, secret: str, by_cookie: bool) -> Staff | Nobody:
        """Who the token belongs to; forged, expired and revoked ones are nobody.

        Raises:
            TimeoutError and errors of the pool: PostgreSQL did not answer, so nobody
                knows.
        """
        key = token_hash(secret)
        now_s = self._clock.monotonic_s()
        remembered = self._remembered.get(key)
        if remembered is not None and now_s < remembered.until_s:
            subject = remembered.subject
        else:
            row = await within(
                LOOK_UP_TIMEOUT_S,
                self._database.pool.fetchrow(queries.STAFF_BY_TOKEN, key),
            )
            subject = staff_of(row, self._clock.now()) if row else FORGED
            self._remember(key, subject, now_s)
        if isinstance(subject, Nobody):
            return subject
        now = self._clock.now()
        if subject.expires_at <= now:
            return _EXPIRED
        if not by_cookie and all(m.holds(now) for m in subject.memberships):
            return subject
        return msgspec.structs.replace(
            subject,
            by_cookie=by_cookie,
            memberships=tuple(m for m in subject.memberships if m.holds(now)),
        )

    def _remember(self, key: bytes, subject: Staff | Nobody, now_s: float) -> None:
        self._remembered[key] = _Remembered(subject, now_s + FRESH_S)
        self._remembered.move_to_end(key)
        if len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)

    async def open(
        self, connection: Any, user_id: UUID, kind: Kind, user_agent: str
    ) -> Opened:
        """Open a session in the caller's transaction."""
        now = self._clock.now()
        opened = Opened(token(STAFF_PREFIX), token("csrf"), now + LIFETIME)
        await connection.execute(
            queries.OPEN_SESSION,
            uuid7(),
            user_id,
            token_hash(opened.token),
            token_hash(opened.csrf_token),
            kind,
            now,
            opened.expires_at,
            user_agent[:USER_AGENT_LENGTH_MAX],
        )
        await connection.execute(queries.PRUNE_SESSIONS, user_id, now)
        return opened

    async def end(self, staff: Staff) -> None:
        """End a session: here at once, in other processes within `FRESH_S`."""
        await self._database.pool.execute(
            queries.REVOKE_SESSION, staff.session_id, self._clock.now()
        )
        for key, remembered in list(self._remembered.items()):
            subject = remembered.subject
            if isinstance(subject, Staff) and subject.session_id == staff.session_id:
                del self._remembered[key]


def staff_of(row: Any, now: datetime) -> Staff | Nobody:
    """The subject of a row of `STAFF_BY_TOKEN`."""
    if row["revoked_at"] is not None or row["status"] != "active":
        return _REVOKED
    if row["expires_at"] <= now:
        return _EXPIRED
    permissions: Permissions = (
        _permissions.decode(row["permissions"]) if row["permissions"] else {}
    )
    return Staff(
        user_id=row["user_id"],
        session_id=row["session_id"],
        email=row["email"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        language=row["language"] or "en",
        role=row["role"] or "",
        permissions=permissions,
        memberships=(
            _memberships.decode(row["memberships"]) if row["memberships"] else ()
        ),
        expires_at=row["expires_at"],
        csrf_hash=row["csrf_hash"],
        level=row["level"] or 0,
    )
