"""Topics that come from PostgreSQL alone, each with publishers of its own.

So a PostgreSQL that hangs holds up these lists and no figure. A topic of an event is
read by one statement, at a pace of its own and only while somebody watches, and sent
when it differs from what was sent last.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import msgspec

from ops import metrics
from ops.clock import Clock
from ops.errors import StoreUnavailable
from ops.live.frames import Error, frame, raw
from ops.live.hub import Channel, Hub
from ops.live.topics import Kind, Topic
from ops.patience import Rests, safely, within

SHARE = 0.1
SOON_S, REST_MAX_S = 1.0, 120.0
"""At most a tenth of the time is spent asking; but a list that was late for the first
time, or did not come, is asked for again soon."""

READ_S = 12.0
"""A store that was stopped answers nothing for as long as it likes: longer than any
call's own limit nobody is shown an old list as if it were new."""
_EXPECTED = (StoreUnavailable, TimeoutError)

Read = Callable[[UUID], Coroutine[Any, Any, msgspec.Struct | None]]
"""The state of an event; None: no such event. Raises StoreUnavailable."""


class PolledTopic:
    """Publishes one topic of one event for as long as somebody watches."""

    def __init__(
        self,
        topic: Topic,
        hub: Hub,
        read: Read,
        clock: Clock,
        every_s: float,
    ) -> None:
        self._topic = topic
        self._hub, self._read, self._clock = hub, read, clock
        self._every_s = every_s
        self._epoch, self._offset = f"p-{secrets.token_hex(4)}", 0
        self._data: msgspec.Raw | None = None
        self._rests = Rests(SHARE, SOON_S, REST_MAX_S)

    async def run(self) -> None:
        """Read and publish until nobody watches."""
        while self._channel() is not None:
            before_s = self._clock.monotonic_s()
            if not await safely(self._publish, "poll", _EXPECTED):
                metrics.store_failures_total.labels("database").inc()
                self._data = None  # old by now: nobody is shown it as if it were new
                self._refuse("unavailable")
            cost_s = self._clock.monotonic_s() - before_s
            await asyncio.sleep(max(self._every_s, self._rests.after(cost_s)))

    def show(self) -> None:
        """Send what is known to a channel that does not have it."""
        channel = self._channel()
        if channel is None or self._data is None:
            return
        now_s = self._clock.monotonic_s()
        if channel.epoch != self._epoch:
            channel.restart(self._epoch, self._offset, self._data, "", now_s)
        elif self._offset > channel.offset:
            channel.advance(self._offset, self._data, self._data, now_s)

    def _channel(self) -> Channel | None:
        return self._hub.channels.get(self._topic)

    async def _publish(self) -> None:
        found = await within(READ_S, self._read(self._topic.event_id))
        if found is None:
            self._refuse("unknown_topic")
            return
        data = raw(found)
        if data != self._data:
            self._data, self._offset = data, self._offset + 1
        self.show()

    def _refuse(self, code: str) -> None:
        """Tell everybody that the list cannot be had (any more)."""
        channel = self._channel()
        if channel is None:
            return
        channel.withdraw()
        for socket in list(channel.subscribers):
            socket.send(frame(Error(code, self._topic.name)))
            if code == "unknown_topic":
                self._hub.leave(socket, self._topic)


class PolledTopics:
    """One kind of topic in this process, begun by the first who watches an event's."""

    def __init__(
        self,
        kind: Kind,
        hub: Hub,
        read: Read,
        clock: Clock,
        every_s: float,
    ) -> None:
        self._kind = kind
        self._hub, self._read, self._clock = hub, read, clock
        self._every_s = every_s
        self._lists: dict[UUID, PolledTopic] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    @property
    def events(self) -> frozenset[UUID]:
        """The events whose topic is being read."""
        return frozenset(self._lists)

    def want(self, event_id: UUID) -> None:
        """Somebody waits for a first snapshot.

        A list that was read just now is shown as it is, so that coming and going makes
        no more readings than staying.
        """
        known = self._lists.get(event_id)
        if known is not None:
            known.show()
            return
        topic = Topic(event_id, self._kind)
        made = PolledTopic(topic, self._hub, self._read, self._clock, self._every_s)
        self._lists[event_id] = made
        task = self._tasks[event_id] = asyncio.create_task(made.run())
        task.add_done_callback(lambda done: self._ended(event_id, done))

    async def stop(self) -> None:
        """End all of them."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, event_id: UUID, task: asyncio.Task[None]) -> None:
        self._lists.pop(event_id, None)
        self._tasks.pop(event_id, None)
        if not task.cancelled() and Topic(event_id, self._kind) in self._hub.channels:
            self.want(event_id)  # somebody came while it ended
