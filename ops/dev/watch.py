"""Keeps the embedded stores alive while their owner runs its event loop."""

from __future__ import annotations

import asyncio
import sys

from ops import log
from ops.dev.servers import Embedded
from ops.errors import StoreError
from ops.patience import ended, for_ever
from ops.supervisor import Supervisor

LOOK_S = 0.25

_log = log.get(__name__)


async def run(supervisor: Supervisor, stores: Embedded | None) -> None:
    """Run the roles until they are stopped, and start a store again that has died.

    A store is started from this thread, which must be the main one, and holds it for
    the second that this takes.
    """
    watches = [asyncio.create_task(_revived(stores))] if stores else []
    try:
        await supervisor.run()
    finally:
        await ended(watches)


async def _revived(stores: Embedded) -> None:
    async def look() -> None:
        for server in (stores.postgres, stores.valkey):
            if not server.alive:
                _log.error("store_ended", store=server.name)
                try:
                    server.start()
                except StoreError as error:
                    print(f"ops: {error}", file=sys.stderr)

    await for_ever(look, LOOK_S, "revive")
