"""A device's entry in the cache, written at once beside the relay.

The relay brings every change of ops.devices to the cache within a second. A
revocation and a change of gate are written here as well, so that they hold at the
very next scan; the row's version decides which write wins, so both may come.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from ops import log
from ops.cache import keys
from ops.cache.client import Cache
from ops.cache.entry import DeviceEntry, pack_device
from ops.cache.scripts import PUT
from ops.checkin import device_queries as queries
from ops.db.engine import Database
from ops.errors import StoreUnavailable

_logger = log.get(__name__)


class DeviceCache:
    """Writes entries of devices into the cache of each event they serve."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database, self._cache = database, cache

    async def put(self, device_id: UUID) -> None:
        """Copy the committed row; without Redis the relay does it later."""
        row = await self._database.pool.fetchrow(queries.ENTRY, device_id)
        events = await self._database.pool.fetch(queries.EVENTS_OF, device_id)
        if row is None:
            return
        packed = pack_device(entry_of(row))
        for event_id in (record["event_id"] for record in events):
            try:
                await self._cache.call(
                    PUT,
                    _keys(event_id),
                    ["device", keys.LAYOUT_VERSION, "", 0, device_id.bytes, packed],
                )
            except StoreUnavailable as error:
                _logger.warning("device_not_cached", error=str(error))
                return


def _keys(event_id: UUID) -> list[str]:
    make: Iterable[Any] = (keys.meta, keys.codes, keys.tickets, keys.devices)
    return [key(event_id) for key in make]


def entry_of(row: Any) -> DeviceEntry:
    """The entry of a row of `device_queries.ENTRY`."""
    session_id: UUID | None = row["session_id"]
    operator_id: UUID | None = row["operator_id"]
    return DeviceEntry(
        version=row["version"],
        no=row["no"],
        state=row["state"],
        profile=row["profile"],
        name=row["name"],
        gate_no=row["gate_no"],
        direction=row["direction"],
        session_id=session_id.bytes if session_id else b"",
        operator_id=operator_id.bytes if operator_id else b"",
        operator_name=row["operator_name"],
        operator_role=row["operator_role"],
        operator_language=row["operator_language"],
    )
