"""Leases: tickets that one device may admit alone, and the number that they cost.

A lease ends by its device's word (released, used), by the device's own entry, or by a
person's recorded decision; never by time (core.md item 8). docs/offline-proof.md says
why nobody is in twice in `strict`, and what the number below bounds in `bounded`.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Meta

from ops import log
from ops.cache.client import CACHE_ERRORS, Cache
from ops.cache.keys import RECALLS
from ops.clock import Clock
from ops.db.engine import Database
from ops.offline import queries
from ops.offline.modes import Mode, read_mode

RECALL_S = 0.3
"""How long another door waits for the holder's word."""
ASK_EVERY_S = 0.02
TIMEOUT_S = 5.0
ANSWERS_MAX = 1_000

_logger = log.get(__name__)


class LeaseAnswer(msgspec.Struct, frozen=True):
    """The holder's word about one ticket, kept by it before it was said."""

    ticket_id: UUID
    state: Literal["released", "used"]


class LeaseAnswers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Several of them."""

    answers: Annotated[list[LeaseAnswer], Meta(max_length=ANSWERS_MAX)]


class LeasesChanged(msgspec.Struct, frozen=True):
    """How many leases ended; those that were over already do not count."""

    changed: int


class EndLeases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's decision that a device will not come back, and why."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class DeviceRisk(msgspec.Struct, frozen=True):
    """What one device may do alone. `unspent` None: without limit."""

    id: UUID
    name: str
    gate: str | None
    state: str
    away: bool
    last_seen_at: datetime | None
    pending: int
    mode: Mode
    leases: int
    unspent: int | None
    package_at: datetime | None
    expires_at: datetime | None


class Beyond(msgspec.Struct, frozen=True):
    """A limit or an item of which devices out of contact may take `at_most` more."""

    kind: Literal["scope", "area", "item"]
    id: UUID
    name: str | None
    at_most: int


class Risk(msgspec.Struct, frozen=True):
    """What the network's absence may cost right now.

    `double_entries_possible`: of devices out of contact, admissions beyond leases that
    they have not reported, and leases that a person ended without them; None where a
    device in mode `open` is out of contact: nothing bounds it.
    """

    mode: Mode
    double_entries_possible: int | None
    devices_away: int
    leases_ended_unconfirmed: int
    devices: list[DeviceRisk]
    beyond: list[Beyond] = []


class Leases:
    """Asks, notes and counts."""

    def __init__(self, database: Database, cache: Cache, clock: Clock) -> None:
        self._database, self._cache, self._clock = database, cache, clock

    async def recall(self, event_id: UUID, ticket_id: UUID, device_id: UUID) -> None:
        """Ask the holder over its socket; return with its word or after 0.3 s.

        The word is in PostgreSQL then, and the scan is decided by what is there.
        """
        message = msgspec.json.encode(
            {"event_id": event_id, "ticket_id": ticket_id, "device_id": device_id}
        )
        try:
            await self._cache.redis.publish(RECALLS, message)
            async with asyncio.timeout(RECALL_S):
                # The word may come through another process: its row is looked for.
                while await self._held(ticket_id, device_id):  # noqa: ASYNC110
                    await asyncio.sleep(ASK_EVERY_S)
        except TimeoutError:
            _logger.info("recall_unanswered", device_id=str(device_id))
        except (*CACHE_ERRORS, asyncpg.PostgresError) as error:
            _logger.warning("recall_failed", error=log.scrubbed(error))

    async def _held(self, ticket_id: UUID, device_id: UUID) -> bool:
        held = await self._database.pool.fetchval(
            queries.LEASE_STATE, ticket_id, device_id, timeout=RECALL_S
        )
        return bool(held)

    async def answer(
        self, event_id: UUID, device_id: UUID, answers: list[LeaseAnswer]
    ) -> int:
        """Note what the holder gives back; leases that are not its own are left alone.

        One that it used waits for the entry, which the device sends as well.
        """
        changed = await self._database.pool.fetchval(
            queries.RELEASE_LEASES,
            event_id,
            device_id,
            self._clock.now(),
            [one.ticket_id for one in answers if one.state == "released"],
            timeout=TIMEOUT_S,
        )
        return int(changed)

    async def end(
        self, event_id: UUID, device_id: UUID, reason: str, user_id: UUID
    ) -> int:
        """End the leases of a lost device; each counts in the number from now on."""
        ended = await self._database.pool.fetchval(
            queries.END_LEASES,
            event_id,
            device_id,
            reason,
            self._clock.now(),
            user_id,
            timeout=TIMEOUT_S,
        )
        return int(ended)

    async def risk(self, event_id: UUID) -> Risk:
        """The number, and what it is made of.

        Raises:
            NotFound: there is no such event.
        """
        async with self._database.pool.acquire() as db:
            mode = await read_mode(db, event_id)
            now = self._clock.now()
            rows = await db.fetch(queries.RISK, event_id, now, timeout=TIMEOUT_S)
            price = await db.fetchrow(queries.PRICE, event_id, now, timeout=TIMEOUT_S)
            beyond = await db.fetch(queries.BEYOND, event_id, now, timeout=TIMEOUT_S)
        assert price is not None  # sums are one row
        return Risk(
            mode.mode,
            price["possible"],
            price["devices_away"],
            price["ended"],
            [DeviceRisk(**dict(row)) for row in rows],
            [Beyond(**dict(row)) for row in beyond],
        )
