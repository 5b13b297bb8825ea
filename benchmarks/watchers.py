"""Thousands of live sockets in a process of its own, at some microseconds a frame.

No websocket library on this side: a client of a bench must cost less than the server it
measures. Frames of the server are not masked; ours are masked with zeros, which changes
nothing of the bytes.

    watchers = Watchers([port], tokens, [topic]); await watchers.open()
    await watchers.note(b"Doors open")            # from now on: who sees this, and when
    seen_s = await watchers.noted(5_000, 10.0)    # instants of time.perf_counter()
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
import zlib
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, cast

import msgspec
import uvloop

from ops.errors import OpsError
from ops.live.server import raise_file_limit

HOST = "127.0.0.1"
OPENING_MAX = 200
"""Handshakes under way at a time when all are opened one after the other."""
BACKOFF_S_MIN, BACKOFF_S_MAX = 0.5, 10.0
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
RSV1 = 0x40
_OFFER = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
_INFLATED_MAX = 64
_SNAPSHOT, _UPDATE, _BYE = b'{"op":"snapshot"', b'{"op":"update"', b'{"op":"bye"'
_lines = msgspec.json.Decoder(dict[str, Any])


def client_frame(opcode: int, payload: bytes) -> bytes:
    """A frame of a client, masked with zeros."""
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, 0x80 | size])
    else:
        head = bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload


class Wire(asyncio.Protocol):
    """One socket."""

    def __init__(self, crowd: Crowd, number: int) -> None:
        self._crowd, self.number = crowd, number
        self._transport: asyncio.Transport | None = None
        self._got = b""
        self._upgraded = False
        self.waits_for = len(crowd.topics)
        self.retry_s: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(
            b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Version: 13\r\n" + self._crowd.offer + b"\r\n"
        )

    def data_received(self, data: bytes) -> None:
        got = self._got + data if self._got else data
        if not self._upgraded:
            head, end, got = got.partition(b"\r\n\r\n")
            if not end:
                self._got = head
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._crowd.refused += 1
                self.close()
                return
            self._upgraded = True
            for message in self._crowd.hello(self.number):
                self.say(message)
        self._got = self._frames(got)

    def _frames(self, got: bytes) -> bytes:
        """Take the whole frames; the rest."""
        at, end = 0, len(got)
        while end - at >= 2:
            size, start = got[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(got[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                size, start = int.from_bytes(got[at + 2 : at + 10], "big"), at + 10
            if end < start + size:
                break
            first, payload = got[at], got[start : start + size]
            opcode, at = first & 15, start + size
            if opcode == TEXT:
                self._text(self._crowd.inflated(payload) if first & RSV1 else payload)
            elif opcode == PING and self._transport is not None:
                self._transport.write(client_frame(PONG, payload))
        return got[at:]

    def _text(self, payload: bytes) -> None:
        crowd = self._crowd
        if payload.startswith(_SNAPSHOT) and self.waits_for:
            self.waits_for -= 1
            if not self.waits_for:
                crowd.one_is_ready()
        elif payload.startswith(_BYE):
            self.retry_s = _lines.decode(payload).get("retry_ms", 0) / 1000
        if crowd.marker and crowd.marker in payload:
            crowd.seen_s.append(time.perf_counter())
            if crowd.acknowledgement:
                self.say(crowd.acknowledgement)
            crowd.changed.set()
        elif crowd.frames is not None and payload.startswith(_UPDATE):
            crowd.frames.setdefault(payload, []).append(time.perf_counter())

    def say(self, message: bytes) -> None:
        """Send a text frame."""
        if self._transport is not None:
            self._transport.write(client_frame(TEXT, message))

    def connection_lost(self, error: Exception | None) -> None:
        self._crowd.lost(self)

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()


class Crowd:
    """All sockets of this process; each comes back when it is lost."""

    def __init__(
        self,
        ports: Sequence[int],
        tokens: Sequence[str],
        topics: Sequence[str],
        packs: bool,
    ) -> None:
        self.ports, self.tokens, self.topics = ports, tokens, topics
        self.offer = _OFFER if packs else b""
        self._inflated: dict[bytes, bytes] = {}
        self.marker = self.acknowledgement = b""
        self.seen_s: list[float] = []
        self.frames: dict[bytes, list[float]] | None = None
        self.ready = self.refused = self.connects = 0
        self.changed = asyncio.Event()
        self.over = False
        self._wires: dict[int, Wire] = {}
        self._failures: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._door = asyncio.Semaphore(OPENING_MAX)

    def hello(self, number: int) -> list[bytes]:
        """What a socket says first."""
        token = self.tokens[number % len(self.tokens)]
        return [
            msgspec.json.encode({"op": "hello", "v": 1, "token": token}),
            msgspec.json.encode({"op": "subscribe", "topics": list(self.topics)}),
        ]

    def inflated(self, packed: bytes) -> bytes:
        """A deflated message; inflated once for all, who have a phone each outside."""
        found = self._inflated.get(packed)
        if found is None:
            if len(self._inflated) >= _INFLATED_MAX:
                self._inflated.clear()
            found = zlib.decompressobj(wbits=-15).decompress(packed + b"\0\0\xff\xff")
            self._inflated[packed] = found
        return found

    async def open(self, count: int) -> None:
        """Open so many more, at most 200 at a time."""
        wanted = len(self._wires) + count
        for number in range(len(self._wires), wanted):
            self._soon(self._connect(number, 0.0))
        if not await self.until(lambda: self.ready >= wanted):
            raise OpsError(f"{self.ready} of {wanted} sockets are open")

    async def _connect(self, number: int, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        port = self.ports[number % len(self.ports)]
        wire = Wire(self, number)
        self._wires[number] = wire
        self.connects += 1
        try:
            async with self._door:
                await asyncio.get_running_loop().create_connection(
                    lambda: wire, HOST, port
                )
        except OSError:
            self.lost(wire)

    def one_is_ready(self) -> None:
        """A socket has its first snapshots."""
        self.ready += 1
        self.changed.set()

    def lost(self, wire: Wire) -> None:
        """A socket ended: full jitter, or the time that the server said."""
        if self.over or self._wires.get(wire.number) is not wire:
            return
        failures = self._failures.get(wire.number, 0)
        if wire.waits_for:
            failures += 1
        else:
            self.ready -= 1
            failures = 1
        self._failures[wire.number] = failures
        most_s = min(BACKOFF_S_MAX, BACKOFF_S_MIN * 2 ** min(failures, 6))
        pause_s = random.uniform(0, most_s) if wire.retry_s is None else wire.retry_s
        self._soon(self._connect(wire.number, pause_s))

    def drop(self) -> None:
        """Lose all sockets at once, as when their process dies."""
        for wire in list(self._wires.values()):
            wire.close()

    async def until(self, true: Any, within_s: float = 120.0) -> bool:
        """Wait for something that a socket brings about."""
        try:
            async with asyncio.timeout(within_s):
                while not true():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            return False
        return True

    def _soon(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def told(self, name: str, *said: Any) -> Any:
        """Do what the bench says."""
        match name:
            case "open":
                await self.open(*said)
                return self.refused
            case "note":
                self.marker, self.acknowledgement = said
                self.seen_s = []
            case "noted":
                count, within_s = said
                await self.until(lambda: len(self.seen_s) >= count, within_s)
                return self.seen_s
            case "record":
                self.frames = {}
            case "recorded":
                found, self.frames = self.frames or {}, None
                return [
                    ([line["id"] for line in _of(frame)], times)
                    for frame, times in found.items()
                ]
            case "drop":
                self.drop()
            case "back":
                return (
                    await self.until(lambda: self.ready >= len(self._wires), said[0]),
                    self.connects,
                    self.refused,
                )
        return None


def _of(frame: bytes) -> list[dict[str, Any]]:
    data: dict[str, Any] = _lines.decode(frame)["data"]
    lines: list[dict[str, Any]] = data.get("lines", [])
    return lines


async def _obey(crowd: Crowd, pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    while said := await loop.run_in_executor(None, pipe.recv):
        pipe.send(await crowd.told(*said))
    crowd.over = True


def _child(
    ports: list[int],
    tokens: list[str],
    topics: list[str],
    packs: bool,
    pipe: Connection,
) -> None:
    raise_file_limit()

    async def main() -> None:
        await _obey(Crowd(ports, tokens, topics, packs), pipe)

    uvloop.run(main())


class Watchers:
    """The process with the sockets, as the bench speaks with it.

    Args:
        packs: whether they read deflated frames, as browsers do.
    """

    def __init__(
        self,
        ports: Sequence[int],
        tokens: Sequence[str],
        topics: Sequence[str],
        packs: bool = False,
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_child,
            args=(list(ports), list(tokens), list(topics), packs, theirs),
            daemon=True,
        )

    async def __aenter__(self) -> Watchers:
        self._process.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pipe.send(None)
        await asyncio.to_thread(self._process.join, 10)
        if self._process.is_alive():
            self._process.terminate()

    async def tell(self, *said: Any) -> Any:
        """Say something and wait for the answer."""
        self._pipe.send(said)
        return await asyncio.to_thread(self._pipe.recv)

    async def open(self, count: int) -> None:
        """So many sockets, each with the first snapshots of its topics."""
        await self.tell("open", count)

    async def note(self, marker: bytes, acknowledgement: bytes = b"") -> None:
        """From now on write down when each socket sees a text; answer it so."""
        await self.tell("note", marker, acknowledgement)

    async def noted(self, count: int, within_s: float) -> list[float]:
        """When the sockets saw it, as `time.perf_counter()`; waits for so many."""
        found: list[float] = await self.tell("noted", count, within_s)
        return found
