"""Who is connected, and who watches what; one message to all in one pass.

The hub never waits: a message goes to the transport of each subscriber as the same
prebuilt bytes (one form for who reads deflated frames, one for who does not). The
transport's own buffer is the queue of a socket; when it passes its high-water mark
(`QUEUE_BYTES_MAX`), the socket stops getting updates and its topics are stale; when it
has drained, each stale topic is sent whole. So the memory of a slow socket is bounded
by the mark plus one message of each topic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol
from uuid import UUID

import msgspec
from websockets.protocol import State

from ops import metrics
from ops.live.frames import Mark, Resumed, SharedFrame, Snapshot, Update, frame
from ops.live.protocol import Position
from ops.live.topics import CONFLATED, Grants, Topic

QUEUE_BYTES_MAX = 64 * 1024
"""High-water mark of what waits for a socket in this process."""
HISTORY_FRAMES_MAX = 256
SLOW_WITHIN_S = 60.0
"""Falling behind a second time within this closes the socket."""


class Writer(Protocol):
    """The part of a transport that the hub uses."""

    def write(self, data: bytes) -> None: ...


class Peer(Protocol):
    """The part of websockets' protocol object that the hub uses."""

    @property
    def state(self) -> State: ...


class Wire(Protocol):
    """The part of a websocket connection that the hub uses."""

    protocol: Peer
    transport: Writer
    paused: bool


class Socket:
    """One connected client, as the hub sees it.

    Args:
        packs: whether it reads deflated frames.
    """

    __slots__ = (
        "__weakref__",
        "grants",
        "packs",
        "slow_at_s",
        "stale",
        "token_hash",
        "topics",
        "wire",
    )

    def __init__(self, wire: Wire, packs: bool = False) -> None:
        self.wire, self.packs = wire, packs
        self.grants: Grants | None = None
        self.token_hash = b""
        self.topics: set[Topic] = set()
        self.stale: set[Topic] | None = None
        self.slow_at_s: float | None = None

    def send(self, data: bytes) -> bool:
        """Write finished frames; False if the socket is not open or is behind."""
        wire = self.wire
        if wire.paused or wire.protocol.state is not State.OPEN:
            return False
        wire.transport.write(data)
        return True

    def mark_stale(self, topic: Topic) -> None:
        """Send the topic whole as soon as the socket takes bytes again."""
        if self.stale is None:
            self.stale = set()
        self.stale.add(topic)


class Channel:
    """A topic that somebody watches: its state, its latest frames, its subscribers."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.name = topic.name
        self.subscribers: set[Socket] = set()
        self.epoch = ""
        self.offset = -1
        self.source = ""
        self.said_at_s = float("-inf")
        self._data = msgspec.Raw(b"null")
        self._snapshot: SharedFrame | None = None
        self._history: deque[tuple[int, int, SharedFrame]] = deque(
            maxlen=HISTORY_FRAMES_MAX
        )

    @property
    def ready(self) -> bool:
        """Whether there is a state to show."""
        return bool(self.epoch)

    @property
    def data(self) -> bytes:
        """The JSON of the state."""
        return bytes(self._data)

    def snapshot_for(self, socket: Socket) -> bytes:
        """What a subscriber is shown; the same for all, where nobody is meant alone."""
        return self.snapshot_frame().form(socket.packs)

    def missed_by(self, socket: Socket, position: Position) -> bytes | None:
        """All that a subscriber at `position` has missed; None if not all is here."""
        return self.resume_frames(position, socket.packs)

    def snapshot_frame(self) -> SharedFrame:
        """The state as a finished frame, built once for each state."""
        if self._snapshot is None:
            self._snapshot = SharedFrame(
                Snapshot(self.name, self.epoch, self.offset, self._data, self.source)
            )
        return self._snapshot

    def restart(
        self, epoch: str, offset: int, data: msgspec.Raw, source: str, now_s: float
    ) -> None:
        """Take a state that no update leads to, and send it whole to everybody."""
        self.epoch, self.offset, self.source = epoch, offset, source
        self._take(data)
        self._history.clear()
        self._broadcast(self.snapshot_frame(), "snapshot", now_s)

    def withdraw(self) -> None:
        """Nobody can tell the state now: no marks, and the next state is sent whole."""
        self.epoch = ""

    def advance(
        self, offset: int, data: msgspec.Raw, state: msgspec.Raw, now_s: float
    ) -> None:
        """Send an update from the present offset to `offset`.

        Args:
            data: what the update carries.
            state: the whole state after it (of a conflated topic: the same).
        """
        update = SharedFrame(Update(self.name, offset, self.offset, data))
        if self.topic.kind not in CONFLATED:
            self._history.append((self.offset, offset, update))
        self.offset = offset
        self._take(state)
        self._broadcast(update, "update", now_s)

    def refresh(self, data: msgspec.Raw, now_s: float) -> None:
        """Send the state anew if it changed without a scan (a plan, a rate)."""
        if data != self._data:
            self._take(data)
            self._broadcast(self.snapshot_frame(), "snapshot", now_s)

    def mark(self, now_s: float) -> None:
        """Say where the topic stands, so that a client notices a lost tail."""
        if self.ready:
            mark = SharedFrame(Mark(self.name, self.offset))
            self._broadcast(mark, "mark", now_s)

    def resume_frames(self, position: Position, packs: bool = False) -> bytes | None:
        """All that a client at `position` has missed, or None if not all is here."""
        if self.topic.kind in CONFLATED or position.epoch != self.epoch:
            return None
        missed: list[bytes] = []
        at = position.offset
        for prev, offset, update in self._history:
            if prev == at:
                missed.append(update.form(packs))
                at = offset
        if at != self.offset:
            return None
        return frame(Resumed(self.name, len(missed))) + b"".join(missed)

    def _take(self, data: msgspec.Raw) -> None:
        self._data, self._snapshot = data, None

    def _broadcast(self, message: SharedFrame, op: str, now_s: float) -> None:
        """Write to every subscriber that keeps up. The hot loop of the role."""
        self.said_at_s = now_s
        topic, is_open, sent, plain = self.topic, State.OPEN, 0, message.plain
        for socket in self.subscribers:
            wire = socket.wire
            if wire.paused:
                socket.mark_stale(topic)
            elif wire.protocol.state is is_open:
                wire.transport.write(message.packed if socket.packs else plain)
                sent += 1
        metrics.socket_frames_total.labels(op).inc(sent)


class Hub:
    """All sockets and channels of this process.

    Args:
        make: makes the channel of a topic.
    """

    def __init__(self, make: Callable[[Topic], Channel] = Channel) -> None:
        self._make = make
        self.sockets: set[Socket] = set()
        self.channels: dict[Topic, Channel] = {}

    def add(self, socket: Socket) -> None:
        """A socket that said hello."""
        self.sockets.add(socket)
        metrics.sockets.set(len(self.sockets))

    def remove(self, socket: Socket) -> None:
        """A socket that is gone; idempotent."""
        for topic in list(socket.topics):
            self.leave(socket, topic)
        self.sockets.discard(socket)
        metrics.sockets.set(len(self.sockets))

    def join(self, socket: Socket, topic: Topic) -> Channel:
        """Subscribe; the caller sends the snapshot or the missed updates."""
        channel = self.channels.get(topic)
        if channel is None:
            channel = self.channels[topic] = self._make(topic)
        channel.subscribers.add(socket)
        socket.topics.add(topic)
        return channel

    def leave(self, socket: Socket, topic: Topic) -> None:
        """End a subscription; a channel without subscribers is forgotten."""
        socket.topics.discard(topic)
        if socket.stale is not None:
            socket.stale.discard(topic)
        channel = self.channels.get(topic)
        if channel is not None:
            channel.subscribers.discard(socket)
            if not channel.subscribers:
                del self.channels[topic]

    def watched(self, event_id: UUID) -> Iterator[Channel]:
        """The channels of an event."""
        return (c for c in self.channels.values() if c.topic.event_id == event_id)

    def drained(self, socket: Socket, now_s: float) -> bool:
        """A socket that was behind takes bytes again: send its stale topics whole.

        Returns False if it fell behind for the second time within a minute: close it.
        """
        stale, socket.stale = socket.stale, None
        if not stale:
            return True
        before, socket.slow_at_s = socket.slow_at_s, now_s
        if before is not None and now_s - before < SLOW_WITHIN_S:
            return False
        for topic in stale:
            channel = self.channels.get(topic)
            if channel is not None and channel.ready:
                socket.send(channel.snapshot_for(socket))
        return True
