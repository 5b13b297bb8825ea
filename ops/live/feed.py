"""From counters to channels: one publisher for each event that somebody watches.

A publisher wakes by a hint of the reader, by a new subscriber, or after a second; it
reads the counters once, whoever watches, and sends each topic at most four times a
second. It ends when nobody has watched for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

import msgspec

from ops import log, metrics
from ops.clock import Clock
from ops.errors import StoreUnavailable
from ops.live import state
from ops.live.frames import Error, frame, raw
from ops.live.hub import Channel, Hub
from ops.live.plan import Plans
from ops.live.reader import Reader
from ops.live.sources import (
    FROM_CACHE,
    LINES_MAX,
    CacheSource,
    DatabaseSource,
    Reading,
    Recent,
    Source,
)
from ops.live.topics import COUNTED, Kind, Topic
from ops.patience import safely

INTERVAL_S = 0.25
"""At most four updates a second a topic."""
POLL_S = 1.0
REFRESH_S = 5.0
"""How often a state that changes by time alone (a rate) is sent anew."""
IDLE_S = 30.0
PENDING_LINES_MAX = 2000
PAUSE_PER_COST = 10.0

_log = log.get(__name__)


class Publisher:
    """Publishes one event's topics for as long as somebody watches.

    Args:
        database: used while the cache is cold or away; None where there is none.
    """

    def __init__(
        self,
        event_id: UUID,
        hub: Hub,
        plans: Plans,
        cache: CacheSource,
        database: DatabaseSource | None,
        reader: Reader,
        clock: Clock,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self.event_id = event_id
        self._hub, self._plans, self._clock = hub, plans, clock
        self._cache, self._database, self._reader = cache, database, reader
        self._interval_s = interval_s
        self._dirty, self._urgent = asyncio.Event(), asyncio.Event()
        self._sent_at_s: dict[Kind, float] = {}
        self._pending: list[tuple[int, list[state.Line]]] = []
        self._shown: list[dict[str, Any]] = []
        self._rates = state.GateRates()
        self._plan: state.Plan | None = None
        self._counters: state.Counters | None = None
        self._held_back = False
        self._epoch = ""

    def hint(self, entry: dict[bytes, bytes]) -> None:
        """An entry of the stream: something changed, and these are its lines."""
        # Beyond the limit lines are dropped: the gap is seen and healed by a snapshot.
        if self._scans() and len(self._pending) < PENDING_LINES_MAX:
            lines = state.parse_lines(entry.get(b"l", b""))
            self._pending.append((int(entry.get(b"s", 0)), lines))
        self._dirty.set()

    def kick(self) -> None:
        """Somebody waits for a first snapshot."""
        self._urgent.set()
        self._dirty.set()

    async def run(self) -> None:
        """Publish until nobody has watched for a while."""
        idle_since_s = self._clock.monotonic_s()
        me = asyncio.current_task()
        while self._clock.monotonic_s() - idle_since_s < IDLE_S:
            if me is None or me.cancelling():
                return  # redis-py may have swallowed the cancellation (see reader)
            await self._wait(self._dirty, POLL_S)
            self._dirty.clear()
            self._urgent.clear()
            if self._channels():
                idle_since_s = self._clock.monotonic_s()
                if not await safely(self._publish, "publish", (StoreUnavailable,)):
                    self._give_up()
            await self._wait(self._urgent, self._pause_s())

    def _pause_s(self) -> float:
        """Between two readings; PostgreSQL is asked for a tenth of the time at most."""
        cost_s = self._database.cost_s(self.event_id) if self._database else 0.0
        return max(self._interval_s, cost_s * PAUSE_PER_COST)

    @staticmethod
    async def _wait(event: asyncio.Event, at_most_s: float) -> None:
        try:
            async with asyncio.timeout(at_most_s):
                await event.wait()
        except TimeoutError:
            pass

    def _channels(self) -> list[Channel]:
        """The watched channels of what is counted."""
        return _fed(self._hub, self.event_id)

    def _scans(self) -> Channel | None:
        """The channel of the ticker, if somebody watches it."""
        return next((c for c in self._channels() if c.topic.kind is Kind.SCANS), None)

    async def _publish(self) -> None:
        source, reading = await self._read()
        plan = await self._plans.get(self.event_id, reading.plan_version)
        if plan is None:
            self._refuse("unknown_topic")
            return
        await self._enter(source, reading)
        self._publish_states(plan, reading)
        await self._publish_scans(plan, source, reading)
        if not self._held_back:
            self._plan, self._counters = plan, reading.counters

    def _give_up(self) -> None:
        """Whatever kept the figures away: nobody is shown old ones as if they were
        new, and the next ones are sent whole."""
        metrics.store_failures_total.labels("database").inc()
        self._refuse("unavailable")

    async def _read(self) -> tuple[Source, Reading]:
        """The counters from the cache, else from PostgreSQL."""
        cause: StoreUnavailable | None = None
        try:
            reading = await self._cache.read(self.event_id)
            if reading is not None:
                if self._database is not None:
                    self._database.leave(self.event_id)
                return self._cache, reading
        except StoreUnavailable as error:
            cause = error
        if self._database is None:
            raise cause or StoreUnavailable("The cache is cold.")
        reading = await self._database.read(self.event_id)
        if reading is None:
            raise StoreUnavailable()
        return self._database, reading

    async def _enter(self, source: Source, reading: Reading) -> None:
        """Begin a new epoch: follow its stream from its newest entry on."""
        if reading.epoch == self._epoch:
            return
        _log.info(
            "live_epoch",
            event_id=str(self.event_id),
            epoch=reading.epoch,
            source=reading.source or "cache",
        )
        self._rates.reset()
        self._pending.clear()
        if reading.source == FROM_CACHE:
            # The position first, then the state: nothing between them is lost.
            recent = await source.recent(self.event_id)
            await self._reader.watch(self.event_id, recent.position)
        else:
            self._reader.forget(self.event_id)
        self._epoch = reading.epoch
        self._dirty.set()  # what came between the two readings gave no hint

    def _publish_states(self, plan: state.Plan, reading: Reading) -> None:
        self._held_back = False
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        self._rates.observe(reading.counters["g"], now_s)
        for channel in self._channels():
            kind = channel.topic.kind
            if kind is Kind.ATTENDANCE:
                offset, data = (
                    reading.attendance,
                    state.attendance(plan, reading.counters, self._rates, now, now_s),
                )
            elif kind is Kind.SESSIONS:
                offset, data = reading.sessions, state.sessions(plan, reading.counters)
            else:
                continue
            self._send_state(channel, offset, raw(data), plan, reading)

    def _send_state(
        self,
        channel: Channel,
        offset: int,
        data: msgspec.Raw,
        plan: state.Plan,
        reading: Reading,
    ) -> None:
        now_s = self._clock.monotonic_s()
        if channel.epoch != reading.epoch or offset < channel.offset:
            channel.restart(reading.epoch, offset, data, reading.source, now_s)
            self._sent_at_s[channel.topic.kind] = now_s
        elif not self._due(channel, now_s):
            self._held_back = True
            self._dirty.set()
        elif offset > channel.offset:
            channel.advance(offset, data, data, now_s)
            self._sent_at_s[channel.topic.kind] = now_s
        elif self._moved(plan, reading) or now_s - channel.said_at_s >= REFRESH_S:
            channel.refresh(data, now_s)

    def _moved(self, plan: state.Plan, reading: Reading) -> bool:
        """Whether something changed without a scan: the plan, or a count by hand."""
        return plan is not self._plan or reading.counters != self._counters

    def _due(self, channel: Channel, now_s: float) -> bool:
        last_s = self._sent_at_s.get(channel.topic.kind, float("-inf"))
        return now_s - last_s >= self._interval_s

    async def _publish_scans(
        self, plan: state.Plan, source: Source, reading: Reading
    ) -> None:
        channel = self._scans()
        if channel is None:
            self._pending.clear()
            return
        now_s = self._clock.monotonic_s()
        if channel.epoch != reading.epoch:
            await self._restart_scans(channel, plan, source, reading)
            return
        if not self._due(channel, now_s):
            if self._pending:
                self._dirty.set()
            return
        if reading.source == FROM_CACHE:
            new = self._contiguous(channel.offset)
        else:
            new = _news(channel.offset, await source.recent(self.event_id))
        if new is None:
            await self._restart_scans(channel, plan, source, reading)
        elif new:
            lines = await self._named(new, plan, source)
            self._shown = [*self._shown, *lines][-LINES_MAX:]
            channel.advance(
                channel.offset + len(new),
                raw({"lines": lines}),
                raw({"lines": self._shown}),
                now_s,
            )
            self._sent_at_s[Kind.SCANS] = now_s

    def _contiguous(self, offset: int) -> list[state.Line] | None:
        """The lines that follow `offset`, None if some between are missing."""
        pending, self._pending = self._pending, []
        new: list[state.Line] = []
        for last, lines in pending:
            if last <= offset:
                continue
            if last - len(lines) != offset:
                return None
            new.extend(lines)
            offset = last
        return new

    async def _restart_scans(
        self, channel: Channel, plan: state.Plan, source: Source, reading: Reading
    ) -> None:
        recent = await source.recent(self.event_id)
        if recent.epoch != reading.epoch:
            self._dirty.set()  # the epoch moved between two calls: begin again
            return
        self._shown = await self._named(recent.lines, plan, source)
        now_s = self._clock.monotonic_s()
        channel.restart(
            recent.epoch,
            recent.offset,
            raw({"lines": self._shown}),
            reading.source,
            now_s,
        )
        self._sent_at_s[Kind.SCANS] = now_s

    async def _named(
        self, lines: list[state.Line], plan: state.Plan, source: Source
    ) -> list[dict[str, Any]]:
        tickets = list({line.ticket_id for line in lines if line.ticket_id})
        names = await source.holders(self.event_id, tickets)
        return [
            state.scan_line(line, plan, names.get(line.ticket_id or b""))
            for line in lines
        ]

    def _refuse(self, code: str) -> None:
        """Tell everybody that there is no state (any more); the next is a snapshot."""
        for channel in self._channels():
            channel.withdraw()
            for socket in list(channel.subscribers):
                socket.send(frame(Error(code, channel.name)))
                if code == "unknown_topic":
                    self._hub.leave(socket, channel.topic)


def _news(offset: int, recent: Recent) -> list[state.Line] | None:
    """Of the newest lines those behind `offset`; None if they do not reach back."""
    new = recent.offset - offset
    if new > len(recent.lines):
        return None
    return recent.lines[-new:] if new > 0 else []


def _fed(hub: Hub, event_id: UUID) -> list[Channel]:
    return [c for c in hub.watched(event_id) if c.topic.kind in COUNTED]


class OwnPublishers(Protocol):
    """What publishes a kind that is not counted (`polled`, `boards`)."""

    def want(self, event_id: UUID) -> None:
        """Somebody waits for a first snapshot."""

    async def stop(self) -> None:
        """End all of them."""


class Feed:
    """The publishers of this process, started by the first subscriber of an event.

    Args:
        own: the kinds with publishers of their own.
    """

    def __init__(
        self,
        hub: Hub,
        plans: Plans,
        cache: CacheSource,
        database: DatabaseSource | None,
        reader: Reader,
        clock: Clock,
        own: Mapping[Kind, OwnPublishers],
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._hub, self._plans, self._clock = hub, plans, clock
        self._cache, self._database, self._reader = cache, database, reader
        self.own = own
        self._interval_s = interval_s
        self._publishers: dict[UUID, Publisher] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        plans.on_new = self._poke

    def deliver(self, event_id: UUID, entry: dict[bytes, bytes]) -> None:
        """An entry of an event's stream (see `reader`)."""
        publisher = self._publishers.get(event_id)
        if publisher is not None:
            publisher.hint(entry)

    def want(self, topic: Topic) -> None:
        """Somebody waits for a snapshot of this topic."""
        if topic.kind in self.own:
            self.own[topic.kind].want(topic.event_id)
        elif topic.kind in COUNTED:
            self._begin(topic.event_id)

    def _begin(self, event_id: UUID) -> None:
        publisher = self._publishers.get(event_id)
        if publisher is None:
            publisher = Publisher(
                event_id,
                self._hub,
                self._plans,
                self._cache,
                self._database,
                self._reader,
                self._clock,
                self._interval_s,
            )
            self._publishers[event_id] = publisher
            task = asyncio.create_task(publisher.run())
            self._tasks[event_id] = task
            task.add_done_callback(lambda done: self._ended(event_id, done))
        publisher.kick()

    def _poke(self, event_id: UUID) -> None:
        publisher = self._publishers.get(event_id)
        if publisher is not None:
            publisher.kick()

    async def stop(self) -> None:
        """End all publishers."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for topics in self.own.values():
            await topics.stop()

    def _ended(self, event_id: UUID, task: asyncio.Task[None]) -> None:
        self._publishers.pop(event_id, None)
        self._tasks.pop(event_id, None)
        self._reader.forget(event_id)
        self._plans.forget(event_id)
        if not task.cancelled() and _fed(self._hub, event_id):
            self._begin(event_id)  # somebody came while it ended
