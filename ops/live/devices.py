"""The topic devices: who stands at which gate with how much battery.

It comes from PostgreSQL alone, because heartbeats are written there and nowhere else,
and so it has publishers of its own: a PostgreSQL that hangs holds up this list and no
figure. An event's list is read by one statement, at most every two seconds and only
while somebody watches, and sent when it differs from the last one.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from ops import log, metrics
from ops.clock import Clock
from ops.errors import StoreUnavailable
from ops.live.frames import Error, frame, raw
from ops.live.hub import Channel, Hub
from ops.live.plan import CALL_TIMEOUT_S, DATABASE_ERRORS
from ops.live.topics import Kind, Topic

READ_EVERY_S = 2.0
PAUSE_PER_COST = 10.0
DEVICES_MAX = 500
"""About 120 KB: what a socket's buffers take without counting as slow."""

_log = log.get(__name__)

# The row of an event without devices is one of NULLs; no row: there is no such event.
_DEVICES = """
SELECT d.id, d.name, d.profile, g.name AS gate, o.name AS operator, d.battery,
       d.pending, d.last_seen_at, d.state, count(d.id) OVER ()::int AS total
FROM public.events e
LEFT JOIN ops.device_events de ON de.event_id = e.id
LEFT JOIN ops.devices d ON d.id = de.device_id
LEFT JOIN ops.gates g ON g.id = coalesce(d.gate_id, de.gate_id) AND g.event_id = e.id
LEFT JOIN ops.operators o ON o.id = d.operator_id AND o.event_id = e.id
WHERE e.id = $1 ORDER BY d.state = 'revoked', d.name, d.id LIMIT $2
"""


class Device(msgspec.Struct, frozen=True):
    """A device as the control room shows it; `pending` are scans it has not sent."""

    id: UUID
    name: str
    profile: str
    gate: str | None
    operator: str | None
    battery: int | None
    pending: int
    last_seen_at: datetime | None
    state: str


class Devices(msgspec.Struct, frozen=True):
    """`data` of the topic; `total` says that more than the first 500 exist."""

    devices: tuple[Device, ...]
    total: int


ReadDevices = Callable[[UUID], Awaitable[Devices | None]]


async def read_devices(pool: asyncpg.Pool, event_id: UUID) -> Devices | None:
    """The devices of an event, revoked ones last; None if there is no such event.

    Raises:
        StoreUnavailable: PostgreSQL did not answer.
    """
    try:
        rows = await pool.fetch(_DEVICES, event_id, DEVICES_MAX, timeout=CALL_TIMEOUT_S)
    except DATABASE_ERRORS as error:
        raise StoreUnavailable(f"devices: {type(error).__name__}") from error
    if not rows:
        return None
    names = Device.__struct_fields__
    found = (Device(**{name: row[name] for name in names}) for row in rows if row["id"])
    return Devices(tuple(found), rows[0]["total"])


class DeviceList:
    """Publishes one event's devices for as long as somebody watches."""

    def __init__(
        self,
        event_id: UUID,
        hub: Hub,
        read: ReadDevices,
        clock: Clock,
        every_s: float,
    ) -> None:
        self._topic = Topic(event_id, Kind.DEVICES)
        self._hub, self._read, self._clock = hub, read, clock
        self._every_s = every_s
        self._epoch, self._offset = f"d-{secrets.token_hex(4)}", 0
        self._data: msgspec.Raw | None = None

    async def run(self) -> None:
        """Read and publish until nobody watches."""
        while self._channel() is not None:
            before_s = self._clock.monotonic_s()
            await self._publish()
            cost_s = self._clock.monotonic_s() - before_s
            await asyncio.sleep(max(self._every_s, cost_s * PAUSE_PER_COST))

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
        try:
            found = await self._read(self._topic.event_id)
        except StoreUnavailable as error:
            metrics.store_failures_total.labels("database").inc()
            _log.warning("live_devices_old", topic=self._topic.name, error=str(error))
            self._data = None  # old by now: nobody is shown it as if it were new
            self._refuse("unavailable")
            return
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


class DeviceLists:
    """The lists of this process, begun by the first who watches an event's devices."""

    def __init__(
        self,
        hub: Hub,
        read: ReadDevices,
        clock: Clock,
        every_s: float = READ_EVERY_S,
    ) -> None:
        self._hub, self._read, self._clock = hub, read, clock
        self._every_s = every_s
        self._lists: dict[UUID, DeviceList] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    @property
    def events(self) -> frozenset[UUID]:
        """The events whose devices are being read."""
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
        made = DeviceList(event_id, self._hub, self._read, self._clock, self._every_s)
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
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            _log.error("live_devices_failed", error=log.scrubbed(error), exc_info=error)
        if Topic(event_id, Kind.DEVICES) in self._hub.channels:
            # Somebody came while it ended; or it failed, and tries again in a while.
            delay_s = self._every_s if error else 0
            asyncio.get_running_loop().call_later(delay_s, self.want, event_id)
