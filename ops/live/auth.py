"""Who says hello, and whether they still may: staff sessions and device tokens.

Nothing is remembered beyond what the open sockets need: while they are open, all
their tokens are looked up again twice a second, by one statement for each kind of
token, so that a logout, a revoked device or a changed role shows within a second.
Hellos that come while others are being looked up wait for the next look-up together:
a storm of reconnecting clients is a few statements.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from ops.auth.tokens import TOKEN_LENGTH_MAX, token_hash
from ops.db.pools import DATABASE_ERRORS
from ops.errors import StoreUnavailable
from ops.live.topics import Grants, Subject
from ops.patience import answering, safely

CALL_TIMEOUT_S = 2.0
ROLES_KEPT = 1024

_STAFF = """
SELECT permissions, memberships, array_agg(token_hash) AS hashes FROM (
  SELECT s.token_hash, coalesce(r.permissions, '{}')::text AS permissions,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(m.event_id, mr.permissions)
                               ORDER BY m.event_id, m.id), '[]')::text
     FROM ops.event_members m JOIN public.roles mr ON mr.id = m.role_id
     WHERE m.user_id = s.user_id
       AND (m.valid_from IS NULL OR m.valid_from <= now())
       AND (m.valid_to IS NULL OR m.valid_to > now())) AS memberships
  FROM ops.staff_sessions s
  JOIN public.users u ON u.id = s.user_id
  LEFT JOIN public.roles r ON r.id = u.role_id
  WHERE s.token_hash = ANY($1) AND s.revoked_at IS NULL AND s.expires_at > now()
    AND u.status = 'active'
) holders GROUP BY permissions, memberships
"""
_DEVICES = """
SELECT id, events, language, array_agg(token_hash) AS hashes FROM (
  SELECT d.id, d.token_hash, coalesce(o.language, 'en') AS language,
         ARRAY(SELECT e.event_id FROM ops.device_events e
                WHERE e.device_id = d.id ORDER BY e.event_id) AS events
  FROM ops.devices d LEFT JOIN ops.operators o ON o.id = d.operator_id
  WHERE d.token_hash = ANY($1) AND d.state = 'active'
) holders GROUP BY id, events, language
"""

_ATTENDEES = """
SELECT t.event_id, coalesce(a.language, e.languages[1], 'en') AS language,
       array_agg(t.token_hash) AS hashes, array_agg(t.attendee_id) AS attendees
  FROM ops.attendee_tokens t
  JOIN public.attendees a ON a.id = t.attendee_id AND a.status <> 'cancelled'
  JOIN public.events e ON e.id = t.event_id
 WHERE t.token_hash = ANY($1) AND t.revoked_at IS NULL
   AND (t.expires_at IS NULL OR t.expires_at > now())
 GROUP BY 1, 2
"""
# The code of a ticket is a token too: the look-up hash of a code is the beginning of
# the hash of its text. It opens what a stranger may see who photographed it.
_TICKETS = """
SELECT c.code_hash, c.event_id, coalesce(e.languages[1], 'en') AS language
  FROM ops.ticket_codes c JOIN public.events e ON e.id = c.event_id
 WHERE c.code_hash = ANY($1) AND c.kind = 'own' AND c.revoked_at IS NULL
"""
CODE_HASH_LENGTH = 16

_permissions = msgspec.json.Decoder()
_memberships = msgspec.json.Decoder(list[tuple[UUID, Any]])


Held = Callable[[list[bytes]], Awaitable[dict[bytes, Grants]]]


class Authenticator:
    """Looks tokens up in PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._waiting: dict[bytes, asyncio.Future[Grants | None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._held: dict[Subject, Held] = {
            Subject.STAFF: self._staff,
            Subject.DEVICE: self._devices,
            Subject.ATTENDEE: self._attendees,
            Subject.TICKET: self._by_code,
        }

    async def identify(self, token: str) -> Grants | None:
        """What the holder of a token may watch; None if it opens nothing.

        Raises:
            StoreUnavailable: PostgreSQL did not answer.
        """
        if not 0 < len(token) <= TOKEN_LENGTH_MAX:
            return None
        digest = token_hash(token)
        answer = self._waiting.get(digest)
        if answer is None:
            answer = asyncio.get_running_loop().create_future()
            self._waiting[digest] = answer
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        # Others may wait for the same token: who gives up must not cancel theirs.
        return await asyncio.shield(answer)

    async def look_up(
        self,
        hashes: Collection[bytes],
        subjects: Collection[Subject] = tuple(Subject),
    ) -> dict[bytes, Grants]:
        """What each token of these hashes opens now; those that open nothing lack.

        Args:
            subjects: where to look; what a token is never changes, so who knows it
                spares the other tables.

        Raises:
            StoreUnavailable: PostgreSQL did not answer; nobody is to be closed for it.
        """
        wanted, found = list(hashes), dict[bytes, Grants]()
        try:
            for subject in subjects:
                found |= await self._held[subject](wanted)
        except DATABASE_ERRORS as error:
            raise StoreUnavailable(f"database: {type(error).__name__}") from error
        return found

    async def _staff(self, wanted: list[bytes]) -> dict[bytes, Grants]:
        found: dict[bytes, Grants] = {}
        for row in await self._pool.fetch(_STAFF, wanted, timeout=CALL_TIMEOUT_S):
            grants = staff_grants(row["permissions"], row["memberships"])
            found |= dict.fromkeys(row["hashes"], grants)
        return found

    async def _devices(self, wanted: list[bytes]) -> dict[bytes, Grants]:
        found: dict[bytes, Grants] = {}
        for row in await self._pool.fetch(_DEVICES, wanted, timeout=CALL_TIMEOUT_S):
            grants = device_grants(tuple(row["events"]), row["id"], row["language"])
            found |= dict.fromkeys(row["hashes"], grants)
        return found

    async def _attendees(self, wanted: list[bytes]) -> dict[bytes, Grants]:
        rows = await self._pool.fetch(_ATTENDEES, wanted, timeout=CALL_TIMEOUT_S)
        return {
            digest: Grants(
                Subject.ATTENDEE,
                events=_of_one(event_id),
                reader_id=attendee_id,
                language=language,
            )
            for event_id, language, hashes, attendees in rows
            for digest, attendee_id in zip(hashes, attendees, strict=True)
        }

    async def _by_code(self, wanted: list[bytes]) -> dict[bytes, Grants]:
        """Grants of those who hold up a ticket's code."""
        short = {digest[:CODE_HASH_LENGTH]: digest for digest in wanted}
        rows = await self._pool.fetch(_TICKETS, list(short), timeout=CALL_TIMEOUT_S)
        return {
            short[row["code_hash"]]: ticket_grants(row["event_id"], row["language"])
            for row in rows
        }

    async def _look(self) -> None:
        """Look up all who wait, until nobody does; whatever happens they are told."""
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, {}
                with answering(asked.values(), StoreUnavailable):
                    tell = partial(self._tell, asked)
                    await safely(tell, "look_up", (StoreUnavailable,))
        finally:
            self._looking = None

    async def _tell(self, asked: dict[bytes, asyncio.Future[Grants | None]]) -> None:
        found = await self.look_up(asked)
        for digest, answer in asked.items():
            answer.set_result(found.get(digest))


@lru_cache(maxsize=ROLES_KEPT)
def staff_grants(permissions: str, memberships: str) -> Grants:
    """The grants of a role and of memberships, both JSON; one object for equal ones."""
    granted: dict[UUID | None, frozenset[str]] = {
        None: flat(_permissions.decode(permissions))
    }
    for event_id, of_event in _memberships.decode(memberships):
        granted[event_id] = granted.get(event_id, frozenset()) | flat(of_event)
    return Grants(Subject.STAFF, permissions=granted)


@lru_cache(maxsize=ROLES_KEPT)
def device_grants(
    events: tuple[UUID, ...], device_id: UUID, language: str = "en"
) -> Grants:
    """The grants of a device that serves these events; it speaks its operator's
    language."""
    return Grants(
        Subject.DEVICE,
        events=frozenset(events),
        reader_id=device_id,
        language=language,
    )


@lru_cache(maxsize=ROLES_KEPT)
def _of_one(event_id: UUID) -> frozenset[UUID]:
    """One set for all attendees of an event."""
    return frozenset({event_id})


@lru_cache(maxsize=ROLES_KEPT)
def ticket_grants(event_id: UUID, language: str) -> Grants:
    """The grants of whoever holds up a ticket of this event."""
    return Grants(Subject.TICKET, events=frozenset({event_id}), language=language)


def flat(permissions: Any) -> frozenset[str]:
    """`{"events": {"read": true}}` as `{"events.read"}`; other shapes grant nothing.

    The column is free JSON, and one odd role must not lock everybody out.
    """
    resources = permissions if isinstance(permissions, dict) else {}
    return frozenset(
        f"{resource}.{action}"
        for resource, actions in resources.items()
        if isinstance(actions, dict)
        for action, granted in actions.items()
        if granted is True
    )
