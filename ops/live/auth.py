"""Who says hello, and whether they still may: staff sessions and device tokens.

Nothing is remembered beyond what the open sockets need: while they are open, all
their tokens are looked up again twice a second by two statements, so that a logout, a
revoked device or a changed role shows within a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import asyncpg
import msgspec

from ops.auth.tokens import TOKEN_LENGTH_MAX, token_hash
from ops.errors import StoreUnavailable
from ops.live.plan import DATABASE_ERRORS
from ops.live.topics import Grants, Subject

CALL_TIMEOUT_S = 2.0

_STAFF = """
SELECT s.token_hash, r.permissions::text AS permissions, (
  SELECT jsonb_agg(jsonb_build_array(m.event_id, mr.permissions))::text
  FROM ops.event_members m JOIN public.roles mr ON mr.id = m.role_id
  WHERE m.user_id = s.user_id
    AND (m.valid_from IS NULL OR m.valid_from <= now())
    AND (m.valid_to IS NULL OR m.valid_to > now())) AS memberships
FROM ops.staff_sessions s
JOIN public.users u ON u.id = s.user_id
LEFT JOIN public.roles r ON r.id = u.role_id
WHERE s.token_hash = ANY($1) AND s.revoked_at IS NULL AND s.expires_at > now()
  AND u.status = 'active'
"""
_DEVICES = """
SELECT d.token_hash, array_remove(array_agg(e.event_id), NULL) AS events
FROM ops.devices d LEFT JOIN ops.device_events e ON e.device_id = d.id
WHERE d.token_hash = ANY($1) AND d.state = 'active'
GROUP BY d.id
"""

_permissions = msgspec.json.Decoder(dict[str, dict[str, bool]])
_memberships = msgspec.json.Decoder(list[tuple[UUID, dict[str, dict[str, bool]]]])


class Authenticator:
    """Looks tokens up in PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def identify(self, token: str) -> Grants | None:
        """What the holder of a token may watch; None if it opens nothing.

        Raises:
            StoreUnavailable: PostgreSQL did not answer.
        """
        if not 0 < len(token) <= TOKEN_LENGTH_MAX:
            return None
        digest = token_hash(token)
        return (await self.look_up([digest])).get(digest)

    async def look_up(self, hashes: Iterable[bytes]) -> dict[bytes, Grants]:
        """What each token of these hashes opens now; those that open nothing lack.

        Raises:
            StoreUnavailable: PostgreSQL did not answer; nobody is to be closed for it.
        """
        wanted = list(hashes)
        try:
            staff = await self._pool.fetch(_STAFF, wanted, timeout=CALL_TIMEOUT_S)
            devices = await self._pool.fetch(_DEVICES, wanted, timeout=CALL_TIMEOUT_S)
        except DATABASE_ERRORS as error:
            raise StoreUnavailable(f"database: {type(error).__name__}") from error
        found = {row["token_hash"]: _staff(row) for row in staff}
        for row in devices:
            found[row["token_hash"]] = Grants(
                Subject.DEVICE, row["token_hash"], events=frozenset(row["events"])
            )
        return found


def _staff(row: asyncpg.Record) -> Grants:
    granted: dict[UUID | None, frozenset[str]] = {
        None: flat(_permissions.decode(row["permissions"] or b"{}"))
    }
    for event_id, permissions in _memberships.decode(row["memberships"] or b"[]"):
        granted[event_id] = granted.get(event_id, frozenset()) | flat(permissions)
    return Grants(Subject.STAFF, row["token_hash"], permissions=granted)


def flat(permissions: dict[str, dict[str, bool]]) -> frozenset[str]:
    """`{"events": {"read": true}}` as `{"events.read"}`."""
    return frozenset(
        f"{resource}.{action}"
        for resource, actions in permissions.items()
        for action, granted in actions.items()
        if granted is True
    )
