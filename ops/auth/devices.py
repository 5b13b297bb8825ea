"""Which device a token belongs to: a dict look-up on the scan path.

The process remembers identities only. Whether a device is revoked, and its gate,
direction and operator, is read with each batch of scans (core.md item 36), so a
revocation holds at the next scan without any message. Every `REFRESH_S` one SELECT
drops the tokens that live no more (revoked, or paired anew) and renews names and
events of the others; while PostgreSQL is away the memory stands, and the door goes on.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial
from typing import Any
from uuid import UUID

from ops.auth import queries
from ops.auth.subjects import DeviceIdentity, Nobody
from ops.auth.tokens import TOKEN_LENGTH_MAX, token_hash
from ops.clock import Clock
from ops.db.engine import Database
from ops.db.pools import DATABASE_ERRORS
from ops.errors import StoreError, Unauthenticated
from ops.patience import ended, for_ever, within

REFRESH_S = 0.5
KNOWN_MAX = 10_000
MET_AT_ONCE_MAX = 2_000
UNKNOWN_MAX = 10_000
UNKNOWN_S = 2.0
"""A token that nobody has is not asked for again so soon; pairing makes new ones."""
LOOK_UP_TIMEOUT_S = 0.5
LOOK_UPS_AT_ONCE_MAX = 4
"""Forged tokens must not take the pool from those who work."""

FORGED = Nobody("invalid_token", "The token is not valid.")
REVOKED = Nobody("device_revoked", "This device was revoked; pair it again.")

_EXPECTED = (StoreError, *DATABASE_ERRORS)


class DeviceRegistry:
    """Token -> identity. `start` begins the refresh, `stop` ends it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._known: OrderedDict[bytes, DeviceIdentity] = OrderedDict()
        self._unknown: OrderedDict[bytes, tuple[Nobody, float]] = OrderedDict()
        self._asking = asyncio.Semaphore(LOOK_UPS_AT_ONCE_MAX)
        self._asked: dict[bytes, asyncio.Future[DeviceIdentity | Nobody]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to refresh."""
        self._task = asyncio.create_task(
            for_ever(self.refresh, REFRESH_S, "devices", _EXPECTED), name="devices"
        )

    async def stop(self) -> None:
        """End the refresh; may come twice, or without `start`."""
        if self._task is not None:
            await ended([self._task])
            self._task = None

    async def authenticate(self, header: str) -> DeviceIdentity:
        """The device of an `Authorization` header (`Device <token>`).

        Raises:
            Unauthenticated: another scheme, an unknown or a revoked token.
        """
        scheme, _, token = header.partition(" ")
        if scheme.lower() == "device" and len(token) <= TOKEN_LENGTH_MAX:
            found = self.known(token) or await self.look_up(token)
            if isinstance(found, DeviceIdentity):
                return found
            raise Unauthenticated(found.detail, code=found.code)
        raise Unauthenticated(FORGED.detail, code=FORGED.code)

    def known(self, token: str) -> DeviceIdentity | None:
        """From memory, without waiting; None says nothing about the token."""
        return self._known.get(token_hash(token))

    async def look_up(self, token: str) -> DeviceIdentity | Nobody:
        """From memory or by one bounded SELECT.

        Raises:
            TimeoutError and errors of the pool: PostgreSQL did not answer.
        """
        key = token_hash(token)
        if (known := self._known.get(key)) is not None:
            return known
        if (refused := self._refused(key)) is not None:
            return refused
        asked = self._asked.get(key)
        if asked is None:
            asked = asyncio.ensure_future(within(LOOK_UP_TIMEOUT_S, self._ask(key)))
            self._asked[key] = asked
            asked.add_done_callback(partial(self._answered, key))
        # A phone that begins with forty requests is asked for once; who gives up must
        # not cancel what the others wait for.
        return await asyncio.shield(asked)

    def _answered(
        self, key: bytes, asked: asyncio.Future[DeviceIdentity | Nobody]
    ) -> None:
        del self._asked[key]
        if not asked.cancelled():
            asked.exception()  # seen, also if whoever asked has gone

    async def again(self, known: DeviceIdentity) -> DeviceIdentity | Nobody:
        """Ask for a device that stands in memory as one that may not do what it asks.

        It may have been unlocked, or be given an event, by another process a moment
        ago. While PostgreSQL is away, memory stands.
        """
        try:
            return await within(LOOK_UP_TIMEOUT_S, self._ask(known.token_hash))
        except _EXPECTED:
            return known

    async def _ask(self, key: bytes) -> DeviceIdentity | Nobody:
        row = await self._row(key)
        if row is None or row["state"] != "active":
            nobody = REVOKED if row and row["state"] == "revoked" else FORGED
            self._unknown[key] = (nobody, self._clock.monotonic_s() + UNKNOWN_S)
            if len(self._unknown) > UNKNOWN_MAX:
                self._unknown.popitem(last=False)
            return nobody
        return self._remember(row)

    async def _row(self, key: bytes) -> Any:
        async with self._asking:
            return await self._database.pool.fetchrow(
                queries.DEVICE_BY_TOKEN, key, timeout=LOOK_UP_TIMEOUT_S
            )

    def forget(self, device_id: UUID) -> None:
        """Drop a device here at once (others do within `REFRESH_S`)."""
        for key, identity in list(self._known.items()):
            if identity.id == device_id:
                del self._known[key]

    async def refresh(self) -> None:
        """Keep what lives; one SELECT for all remembered tokens."""
        asked = list(self._known)
        if not asked:
            return
        rows = await self._database.pool.fetch(
            queries.LIVING_DEVICES, asked, timeout=LOOK_UP_TIMEOUT_S
        )
        living = {row["token_hash"]: row for row in rows}
        for key in asked:
            if key in living:
                # Only if it is still there: `forget` may have come meanwhile.
                if key in self._known:
                    self._known[key] = _identity(living[key])
            else:
                self._known.pop(key, None)

    async def meet(self) -> None:
        """Remember devices of running events that have not come to this process yet.

        While PostgreSQL is away nobody can be looked up, and the door must go on.

        Raises:
            TimeoutError and errors of the pool: PostgreSQL did not answer.
        """
        room = KNOWN_MAX - len(self._known)
        rows = await self._database.pool.fetch(
            queries.DEVICES_TO_MEET,
            list(self._known),
            min(room, MET_AT_ONCE_MAX),
            timeout=LOOK_UP_TIMEOUT_S,
        )
        for row in rows:
            self._remember(row)

    def _refused(self, key: bytes) -> Nobody | None:
        entry = self._unknown.get(key)
        if entry is None:
            return None
        nobody, until_s = entry
        if self._clock.monotonic_s() < until_s:
            return nobody
        del self._unknown[key]
        return None

    def _remember(self, row: Any) -> DeviceIdentity:
        identity = _identity(row)
        self._known[identity.token_hash] = identity
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return identity


def _identity(row: Any) -> DeviceIdentity:
    return DeviceIdentity(
        id=row["id"],
        no=row["no"],
        name=row["name"],
        profile=row["profile"],
        event_ids=frozenset(row["event_ids"]),
        token_hash=bytes(row["token_hash"]),
        locked=row["locked"],
        sponsor_id=row["sponsor_id"],
    )
