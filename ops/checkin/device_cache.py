"""A device's entry in the cache, written at once beside the relay.

The relay brings every change of ops.devices to the cache within a second. A
revocation and a change of gate are written here as well, so that they hold at the
very next scan; the row's version decides which write wins, so both may come.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from ops import log
from ops.admission.from_database import DeviceRow
from ops.cache import keys
from ops.cache.client import Cache
from ops.cache.entry import pack_device
from ops.cache.scripts import PUT
from ops.checkin import device_queries as queries
from ops.db.engine import Database
from ops.errors import StoreUnavailable

_decode = msgspec.json.Decoder(DeviceRow).decode
_logger = log.get(__name__)


class DeviceCache:
    """Writes entries of devices into the cache of each event they serve."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database, self._cache = database, cache

    async def put(self, device_id: UUID) -> None:
        """Copy the committed rows; without Redis the relay does it later."""
        rows = await self._database.pool.fetch(queries.ENTRIES, device_id)
        for row in rows:
            packed = pack_device(_decode(row["entry"]).entry())
            try:
                await self._cache.call(
                    PUT,
                    _keys(row["event_id"]),
                    ["device", keys.LAYOUT_VERSION, "", 0, device_id.bytes, packed],
                )
            except StoreUnavailable as error:
                _logger.warning("device_not_cached", error=str(error))
                return


def _keys(event_id: UUID) -> list[str]:
    make: Iterable[Any] = (keys.meta, keys.codes, keys.tickets, keys.devices)
    return [key(event_id) for key in make]
