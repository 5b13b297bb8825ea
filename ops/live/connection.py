"""One socket: the shell around `Conversation`, on a websockets server connection."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec
from websockets.asyncio.server import Server, ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode as WebsocketCloseCode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from ops import metrics
from ops.auth.tokens import token_hash
from ops.clock import Clock
from ops.errors import StoreUnavailable
from ops.live import protocol
from ops.live.codes import CloseCode
from ops.live.frames import (
    Bye,
    Error,
    Message,
    Pong,
    Unsubscribed,
    Welcome,
    encode,
    frame,
)
from ops.live.hub import Hub, Socket
from ops.live.protocol import Action, Conversation
from ops.live.topics import Grants, Topic

RETRY_MS_MAX = 10_000
"""Full jitter of a bye: 2,000 clients that come back within 10 s hurt nobody."""
_READ = Request("", Headers())
"""Stands for a request that was read: its headers are 2 KB a socket."""


class Handshake(msgspec.Struct, frozen=True):
    """What the hello needs to know of the handshake: the cookie, if it may be used."""

    cookie: str | None


Identify = Callable[[str], Awaitable[Grants | None]]
"""Token -> what its holder may watch; None if it opens nothing. StoreUnavailable."""


Acknowledgement = Callable[[UUID, UUID, str], None]
"""Announcement, reader and what he did with it; never waits."""


class Wanting(Protocol):
    """The part of the feed that a socket needs."""

    def want(self, topic: Topic) -> None:
        """Somebody waits for a first snapshot of this event."""


class _Protocol(ServerProtocol):
    """The library's protocol, with our code for a frame that is too big."""

    def fail(self, code: WebsocketCloseCode | int, reason: str = "") -> None:
        if code == WebsocketCloseCode.MESSAGE_TOO_BIG:
            metrics.socket_closes_total.labels(str(CloseCode.FRAME_TOO_BIG.value)).inc()
            code = CloseCode.FRAME_TOO_BIG.value
        super().fail(code, reason)


class LiveConnection(ServerConnection):
    """A connection that knows when its peer was last heard, and when it has drained.

    The library makes the protocol object itself, so its class is changed here: a
    subclass that overrides one method and adds no state.
    """

    def __init__(self, protocol: ServerProtocol, server: Server, **kwargs: Any) -> None:
        protocol.__class__ = _Protocol
        super().__init__(protocol, server, **kwargs)
        self.handshake_facts = Handshake(None)
        self.heard_at_s = self.loop.time()
        self.on_drained: Callable[[], None] | None = None

    def data_received(self, data: bytes) -> None:
        self.heard_at_s = self.loop.time()
        super().data_received(data)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.on_drained is not None:
            self.on_drained()

    def forget_handshake(self) -> None:
        """Free the headers once the handshake is over."""
        self.request, self.response = _READ, None


class Handler:
    """Does what the conversations of all sockets ask for."""

    def __init__(
        self,
        hub: Hub,
        feed: Wanting,
        identify: Identify,
        clock: Clock,
        sockets_max: int,
        hello_within_s: float = protocol.HELLO_WITHIN_S,
        acknowledge: Acknowledgement = lambda *_: None,
    ) -> None:
        self._hub, self._feed, self._identify = hub, feed, identify
        self._acknowledge = acknowledge
        self._clock, self._sockets_max = clock, sockets_max
        self._hello_within_s = hello_within_s
        self._closing: set[asyncio.Task[None]] = set()
        self._open: set[Socket] = set()

    async def serve(self, connection: ServerConnection) -> None:
        """Talk with one client until either side closes. The task of a socket."""
        assert isinstance(connection, LiveConnection)
        connection.forget_handshake()
        packs = bool(connection.protocol.extensions)
        socket = Socket(connection, packs)  # type: ignore[arg-type]  # write is wider
        self._open.add(socket)
        try:
            if len(self._open) > self._sockets_max:
                await self._close(connection, CloseCode.OVERLOADED)
                return
            connection.on_drained = lambda: self._drained(connection, socket)
            await self._talk(connection, socket)
        except ConnectionClosed:
            pass
        finally:
            self._open.discard(socket)
            connection.on_drained = None
            self._hub.remove(socket)

    async def _talk(self, connection: LiveConnection, socket: Socket) -> None:
        conversation = Conversation(self._clock.monotonic_s())
        try:
            async with asyncio.timeout(self._hello_within_s):
                first = await connection.recv()
        except TimeoutError:
            await self._close(connection, CloseCode.NO_HELLO)
            return
        await self._receive(connection, socket, conversation, first)
        while conversation.open:
            text = await connection.recv()
            await self._receive(connection, socket, conversation, text)

    async def _receive(
        self,
        connection: LiveConnection,
        socket: Socket,
        conversation: Conversation,
        text: str | bytes,
    ) -> None:
        for action in conversation.receive(text, self._clock.monotonic_s()):
            await self._do(connection, socket, conversation, action)

    async def _do(
        self,
        connection: LiveConnection,
        socket: Socket,
        conversation: Conversation,
        action: Action,
    ) -> None:
        match action:
            case protocol.Authenticate(token):
                code = await self._greet(connection, socket, token)
                if code is not None:
                    conversation.open = False
                    await self._close(connection, code)
            case protocol.Join(topic, position):
                await self._join(connection, socket, topic, position)
            case protocol.Leave(topic):
                self._hub.leave(socket, topic)
                await self._say(connection, Unsubscribed(topic.name))
            case protocol.SendSnapshot(topic):
                if topic in socket.topics:
                    self._show(socket, topic, None)
                else:
                    await self._say(connection, Error("not_subscribed", topic.name))
            case protocol.Acknowledge(announcement_id, what):
                reader = socket.grants.reader_id if socket.grants else None
                if reader is not None:
                    self._acknowledge(announcement_id, reader, what)
            case protocol.SendPong():
                await self._say(connection, Pong(_rfc3339(self._clock.now())))
            case protocol.Say(message):
                await self._say(connection, message)
            case protocol.Close(code):
                await self._close(connection, code)

    async def _greet(
        self, connection: LiveConnection, socket: Socket, token: str | None
    ) -> CloseCode | None:
        """Welcome the holder of a token; else the code to close with."""
        token = connection.handshake_facts.cookie if token is None else token
        connection.handshake_facts = Handshake(None)
        if not token:
            return CloseCode.FORBIDDEN
        try:
            socket.grants = await self._identify(token)
        except StoreUnavailable:
            return CloseCode.OVERLOADED
        if socket.grants is None:
            return CloseCode.FORBIDDEN
        socket.token_hash = token_hash(token)
        self._hub.add(socket)
        now = _rfc3339(self._clock.now())
        await self._say(connection, Welcome(connection.id.hex, now, protocol.PING_S))
        return None

    async def _join(
        self,
        connection: LiveConnection,
        socket: Socket,
        topic: Topic,
        position: protocol.Position | None,
    ) -> None:
        if socket.grants is None or not socket.grants.may_watch(topic):
            await self._say(connection, Error("forbidden", topic.name))
        elif len(socket.topics) >= protocol.TOPICS_MAX and topic not in socket.topics:
            await self._say(connection, Error("too_many_topics", topic.name))
        else:
            self._show(socket, topic, position)

    def _show(
        self, socket: Socket, topic: Topic, position: protocol.Position | None
    ) -> None:
        """Subscribe, and send what leads to the present. No await: nothing between."""
        channel = self._hub.join(socket, topic)
        if not channel.ready:
            self._feed.want(topic)
            return
        frames = channel.missed_by(socket, position) if position else None
        op = "resumed" if frames else "snapshot"
        if socket.send(frames or channel.snapshot_for(socket)):
            metrics.socket_frames_total.labels(op).inc()
        else:
            socket.mark_stale(topic)

    async def _say(self, connection: LiveConnection, message: Message) -> None:
        await connection.send(encode(message), text=True)

    async def _close(
        self, connection: LiveConnection, code: CloseCode, retry_ms: int = -1
    ) -> None:
        """Say bye and close; a peer that does not answer is dropped after a while."""
        metrics.socket_closes_total.labels(str(code.value)).inc()
        with suppress(ConnectionClosed):
            if connection.state is State.OPEN and not connection.paused:
                connection.transport.write(frame(Bye(code.value, retry_ms)))
            await connection.close(code.value, code.name.lower())

    def close(self, socket: Socket, code: CloseCode, retry_ms: int = -1) -> None:
        """Close a socket from outside its task, without waiting."""
        assert isinstance(socket.wire, LiveConnection)
        task = asyncio.create_task(self._close(socket.wire, code, retry_ms))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def drain(self, retry_ms_max: int = RETRY_MS_MAX) -> None:
        """Tell everybody to come back at a time of their own, and close."""
        for socket in list(self._open):
            # Jitter, not a secret.
            retry_ms = random.randrange(retry_ms_max)
            self.close(socket, CloseCode.RESTARTING, retry_ms)
        if self._closing:
            await asyncio.wait(self._closing)

    def _drained(self, connection: LiveConnection, socket: Socket) -> None:
        if not self._hub.drained(socket, self._clock.monotonic_s()):
            self.close(socket, CloseCode.TOO_SLOW)


def _rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
