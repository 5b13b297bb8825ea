"""Announcements for sockets: boards read once a process, each socket its own view.

PostgreSQL is the source: it gives epoch and offset, so that nothing depends on the
cache. A NOTIFY says which event has news; one statement a second for all watched
events finds what a lost one would have told. Of an announcement the row is read once a
process, and the ids of a restricted audience once; nothing is read for a socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from ops import metrics
from ops.announcements import statements
from ops.announcements.board import (
    ITEMS_MAX,
    Board,
    Item,
    Reader,
    needs_ids,
    update,
)
from ops.announcements.sending import CHANNEL
from ops.db.pools import DATABASE_ERRORS
from ops.live.frames import Error, Resumed, SharedFrame, Snapshot, Update, frame
from ops.live.hub import Channel, Hub, Socket
from ops.live.protocol import Position
from ops.live.topics import Kind, Subject, Topic
from ops.patience import ended, for_ever, safely

POLL_S = 1.0
CALL_TIMEOUT_S = 5.0
RECONNECT_S = 1.0
NOTHING_YET = "none"
"""The epoch of an event that has never announced anything."""

_POSITIONS = """
SELECT event_id, epoch, seq FROM ops.announcement_epochs WHERE event_id = ANY($1)
"""


class BoardChannel(Channel):
    """The announcements of an event: the same offsets for all, other contents."""

    def __init__(self, topic: Topic) -> None:
        super().__init__(topic)
        self.board = Board()
        self._snapshots: dict[tuple[str, tuple[int, ...]], SharedFrame] = {}

    def snapshot_for(self, socket: Socket) -> bytes:
        """The announcements that concern this socket, as a finished frame."""
        reader = reader_of(socket)
        key = (reader.language, self.board.view(reader))
        found = self._snapshots.get(key)
        if found is None:
            data = msgspec.Raw(self.board.data(reader))
            found = SharedFrame(Snapshot(self.name, self.epoch, self.offset, data))
            self._snapshots[key] = found
        return found.form(socket.packs)

    def missed_by(self, socket: Socket, position: Position) -> bytes | None:
        """Every update since `position`, empty ones where it was not meant."""
        if position.epoch != self.epoch:
            return None
        missed = self.board.missed(reader_of(socket), position.offset)
        if missed is None:
            return None
        return frame(Resumed(self.name, len(missed))) + b"".join(
            frame(Update(self.name, offset, prev, msgspec.Raw(data)))
            for prev, offset, data in missed
        )

    def show(self, board: Board, now_s: float) -> None:
        """Take a board that no update leads to, and show it to everybody."""
        self.board = board
        self.epoch, self.offset = board.epoch, board.seq
        self._snapshots.clear()
        self._to_each(self.snapshot_for, "snapshot", now_s)

    def publish(self, item: Item, now_s: float) -> None:
        """Send the next one to whom it concerns, and its number to the rest."""
        self.board.add(item)
        prev, self.offset = self.offset, item.seq
        self._snapshots.clear()
        made: dict[tuple[str, bool], SharedFrame] = {}

        def frame_for(socket: Socket) -> bytes:
            reader = reader_of(socket)
            key = (reader.language, item.concerns(reader))
            if key not in made:
                data = msgspec.Raw(update(item, reader))
                made[key] = SharedFrame(Update(self.name, item.seq, prev, data))
            return made[key].form(socket.packs)

        self._to_each(frame_for, "update", now_s)

    def _to_each(
        self, frame_for: Callable[[Socket], bytes], op: str, now_s: float
    ) -> None:
        self.said_at_s = now_s
        sent = 0
        for socket in self.subscribers:
            if socket.send(frame_for(socket)):
                sent += 1
            else:
                socket.mark_stale(self.topic)
        metrics.socket_frames_total.labels(op).inc(sent)


def make_channel(topic: Topic) -> Channel:
    """The channel of a topic."""
    return (BoardChannel if topic.kind is Kind.ANNOUNCEMENTS else Channel)(topic)


def reader_of(socket: Socket) -> Reader:
    """Who looks at an announcement through this socket."""
    grants = socket.grants
    if grants is None:
        return Reader()
    return Reader(
        grants.reader_id,
        grants.language,
        staff=grants.subject is Subject.STAFF,
        device=grants.subject is Subject.DEVICE,
    )


class Boards:
    """Reads announcements of watched events and publishes them.

    Args:
        pool: reads.
        url: where a connection of its own listens.
        monotonic_s: the clock of `said_at_s`.
    """

    def __init__(
        self,
        hub: Hub,
        pool: asyncpg.Pool,
        url: str,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._hub, self._pool, self._url = hub, pool, url
        self._monotonic_s = monotonic_s
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def want(self, event_id: UUID) -> None:
        """Somebody waits for a first snapshot; the first one begins the reading."""
        if self._task is None:
            self._task = asyncio.create_task(self.run(), name="boards")
        self._changed.set()

    async def stop(self) -> None:
        """End the reading; may come twice, or without `want`."""
        if self._task is not None:
            await ended([self._task])

    async def run(self) -> None:
        """Publish until cancelled."""
        listening = asyncio.create_task(
            for_ever(self._listen, RECONNECT_S, "announcements_heard", DATABASE_ERRORS)
        )
        try:
            await for_ever(self._turn, 0.0, "announcements")
        finally:
            await ended([listening])

    async def _turn(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._changed.wait()
        self._changed.clear()
        watched = self._watched()
        if not watched:
            return
        positions: dict[UUID, tuple[str, int]] = {}

        async def look() -> None:
            rows = await self._pool.fetch(
                _POSITIONS, list(watched), timeout=CALL_TIMEOUT_S
            )
            for row in rows:
                positions[row["event_id"]] = (row["epoch"], row["seq"])

        known = await safely(look, "announcements", DATABASE_ERRORS)
        for event_id, channel in watched.items():
            position = positions.get(event_id, (NOTHING_YET, 0))
            catch_up = partial(self._catch_up, channel, *position)
            # One that cannot be read holds up no other.
            if known and await safely(catch_up, "announcements", DATABASE_ERRORS):
                continue
            metrics.store_failures_total.labels("database").inc()
            if not channel.ready:
                _refuse(channel)

    def _watched(self) -> dict[UUID, BoardChannel]:
        return {
            topic.event_id: channel
            for topic, channel in self._hub.channels.items()
            if isinstance(channel, BoardChannel)
        }

    async def _catch_up(self, channel: BoardChannel, epoch: str, seq: int) -> None:
        """Bring a channel to a position: by updates where they lead there."""
        if (channel.epoch, channel.offset) == (epoch, seq):
            return
        known = channel.epoch == epoch and seq > channel.offset
        since = channel.offset if known else 0
        rows = await self._pool.fetch(
            statements.SINCE,
            channel.topic.event_id,
            since,
            ITEMS_MAX,
            timeout=CALL_TIMEOUT_S,
        )
        items = [await self._item(row) for row in reversed(rows)]
        now_s = self._monotonic_s()
        if known and items and items[0].seq == since + 1 and _contiguous(items):
            for item in items:
                channel.publish(item, now_s)
            return
        board = Board(epoch, seq)
        for item in items:
            board.add(item)
        channel.show(board, now_s)

    async def _item(self, record: Any) -> Item:
        row, meant = dict(record), None
        for name in ("target_segments", "translations"):
            if isinstance(row[name], str):  # this role's connections leave JSON as text
                row[name] = msgspec.json.decode(row[name])
        if needs_ids(row):
            found = await self._pool.fetch(
                statements.MEANT, row["id"], timeout=CALL_TIMEOUT_S
            )
            meant = frozenset(one["recipient_id"] for one in found)
        return Item(row, meant)

    async def _listen(self) -> None:
        """Wait for notes; without the connection the look once a second goes on.

        Raises:
            Errors of PostgreSQL; returns when the connection is lost.
        """
        connection = await asyncpg.connect(
            self._url,
            timeout=CALL_TIMEOUT_S,
            server_settings={"application_name": "ops-live-listen"},
        )
        try:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, self._noted)
            await lost.wait()
        finally:
            connection.terminate()

    def _noted(self, *_: object) -> None:
        self._changed.set()


def _contiguous(items: list[Item]) -> bool:
    return items[-1].seq - items[0].seq == len(items) - 1


def _refuse(channel: Channel) -> None:
    for socket in list(channel.subscribers):
        socket.send(frame(Error("unavailable", channel.name)))
