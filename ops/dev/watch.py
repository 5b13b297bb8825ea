"""Keeps the embedded stores alive while their owner runs its event loop."""

from __future__ import annotations

import asyncio
import sys

from ops import log
from ops.dev.servers import Embedded
from ops.errors import StoreError
from ops.supervisor import Supervisor

LOOK_S = 0.25

_log = log.get(__name__)


async def run(supervisor: Supervisor, stores: Embedded | None) -> None:
    """Run the roles until they are stopped, and start a store again that has died.

    A store is started from this thread, which must be the main one, and holds it for
    the second that this takes.
    """
    watch = asyncio.create_task(_revive(stores)) if stores else None
    try:
        await supervisor.run()
    finally:
        if watch is not None:
            watch.cancel()


async def _revive(stores: Embedded) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        for server in (stores.postgres, stores.valkey):
            if not server.alive:
                _log.error("store_ended", store=server.name)
                try:
                    server.start()
                except StoreError as error:
                    print(f"ops: {error}", file=sys.stderr)
