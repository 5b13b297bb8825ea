"""Recalls of leases: a door asks, the device that holds the lease hears it at once.

Not a topic: nothing is kept, nothing resumed. Every live process hears every recall and
tells it to the device's socket, if it has it; a lost message costs the other door 0.3 s
and an amber (`ops.offline.leases`), never an entry.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import UUID

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ops import log
from ops.cache.client import CACHE_ERRORS
from ops.cache.keys import RECALLS
from ops.live.frames import Recall, frame
from ops.live.hub import Hub
from ops.live.topics import Subject
from ops.patience import for_ever

WAIT_S = 1.0
TIMEOUT_S = 5.0
BACKOFF_S = 0.5

_log = log.get(__name__)


class Recalled(msgspec.Struct, frozen=True):
    """What a door asks for."""

    event_id: UUID
    ticket_id: UUID
    device_id: UUID


_decoder = msgspec.json.Decoder(Recalled)


class RecallBell:
    """Listens on the channel; `run` until cancelled."""

    def __init__(self, url: str, hub: Hub) -> None:
        self._hub = hub
        self._redis: Redis = Redis.from_url(
            url,
            decode_responses=False,
            protocol=2,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=1.0,
            retry=Retry(NoBackoff(), 0),
        )

    async def run(self) -> None:
        """Follow the channel; comes back by itself."""
        try:
            await for_ever(self._listen, BACKOFF_S, "recalls", CACHE_ERRORS)
        finally:
            with suppress(*CACHE_ERRORS):
                await self._redis.aclose()

    async def _listen(self) -> None:
        async with self._redis.pubsub() as listening:
            await listening.subscribe(RECALLS)
            while True:
                message = await listening.get_message(
                    ignore_subscribe_messages=True, timeout=WAIT_S
                )
                if message is not None:
                    self.ring(message["data"])
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    return

    def ring(self, data: bytes) -> int:
        """Tell the device's sockets; how many there were."""
        try:
            asked = _decoder.decode(data)
        except msgspec.DecodeError:
            _log.warning("recall_unreadable")
            return 0
        told = 0
        body = frame(Recall(asked.event_id, asked.ticket_id))
        for socket in self._hub.sockets:
            grants = socket.grants
            if (
                grants is not None
                and grants.subject is Subject.DEVICE
                and grants.reader_id == asked.device_id
            ):
                told += socket.send(body)
        return told
