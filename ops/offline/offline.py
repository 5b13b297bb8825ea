"""The parts of the network's absence as the routes use them."""

from __future__ import annotations

from uuid import UUID

from ops.cache.client import Cache
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import Forbidden
from ops.offline import queries
from ops.offline.conflicts import Conflicts
from ops.offline.leases import Leases
from ops.offline.modes import OfflineMode, OfflineModeBody, read_mode
from ops.offline.packages import Keys, Packages
from ops.offline.proof import Proofs
from ops.offline.quarantine import Quarantine
from ops.offline.sealing import ShiftKey, ShiftKeys

TIMEOUT_S = 5.0


class Offline:
    """Made once a process (`ops.runtime`)."""

    def __init__(
        self,
        database: Database,
        cache: Cache,
        clock: Clock,
        secret_key: str,
        keys: Keys,
    ) -> None:
        self._database, self._clock = database, clock
        self._shift_keys = ShiftKeys(secret_key)
        self.packages = Packages(database, clock, self._shift_keys, keys)
        self.leases = Leases(database, cache, clock)
        self.conflicts = Conflicts(database, clock)
        self.quarantine = Quarantine(database, clock)
        self.proofs = Proofs(database, clock)

    async def mode(self, event_id: UUID) -> OfflineMode:
        """The settings of an event.

        Raises:
            NotFound: there is no such event.
        """
        async with self._database.pool.acquire() as db:
            return await read_mode(db, event_id)

    async def choose_mode(
        self, event_id: UUID, body: OfflineModeBody, user_id: UUID
    ) -> OfflineMode:
        """Change the settings.

        Raises:
            NotFound: there is no such event.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            await read_mode(db, event_id)
            await db.execute(
                queries.CHANGE_SETTINGS,
                event_id,
                body.mode,
                body.budget,
                body.package_hours,
                self._clock.now(),
                user_id,
                timeout=TIMEOUT_S,
            )
            return await read_mode(db, event_id)

    async def names_key(self, event_id: UUID, device_id: UUID) -> ShiftKey:
        """The key of this shift, for a device that somebody works.

        Raises:
            Forbidden: nobody is signed on.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            device = await db.fetchrow(
                queries.DEVICE, event_id, device_id, timeout=TIMEOUT_S
            )
            if (
                device is None
                or not device["operator_role"]
                or device["profile"] == "lead"
            ):
                raise Forbidden("Sign on at the device first.", code="no_operator")
            return await self._shift_keys.current(db, event_id, self._clock.now())

    async def end_names_key(self, event_id: UUID) -> None:
        """End the key of the shift."""
        async with self._database.pool.acquire() as db:
            await self._shift_keys.end(db, event_id, self._clock.now())
