"""A client of the live socket: reconnects, resumes, and never invents a number.

`Mirror` is the client's side of the protocol without I/O; `LiveClient` keeps a socket
open around it. docs/protocol.md says the same for other languages.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

BACKOFF_S_MIN, BACKOFF_S_MAX = 0.5, 10.0
STALE_AFTER_S = 20.0
"""Something comes at least every 10 s; after twice that the figures are old."""
FINAL_CODES = frozenset({4003, 4009, 4100})
IN_ORDER = ("scans", "announcements")
"""Topics of which nothing is left out; of the others each update is the whole."""
KEPT_MAX = 50


class TopicMirror:
    """One topic as the client knows it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.conflated = name.rpartition(":")[2] not in IN_ORDER
        self.epoch = ""
        self.offset = -1
        self.data: Any = None
        self.error = ""
        self.heard_at_s = 0.0
        self.counts = {"snapshot": 0, "update": 0, "mark": 0, "resync": 0, "drop": 0}

    def receive(self, frame: dict[str, Any], now_s: float) -> bool:
        """Apply a frame of this topic; True means: send a resync.

        A state is shown only when it is complete: what does not fit is not applied.
        """
        op = frame["op"]
        if op == "error":
            self.error = frame["code"]
            return False
        self.heard_at_s = now_s
        if op == "snapshot":
            self.epoch, self.offset = frame["epoch"], frame["offset"]
            self.data, self.error = frame["data"], ""
            self.counts["snapshot"] += 1
            return False
        if op == "update":
            return self._update(frame)
        if op == "mark":
            self.counts["mark"] += 1
            return self._resync() if frame["offset"] > self.offset else False
        return False

    def _update(self, frame: dict[str, Any]) -> bool:
        if frame["offset"] <= self.offset:
            self.counts["drop"] += 1
            return False
        fits = (
            frame["prev"] <= self.offset
            if self.conflated
            else (frame["prev"] == self.offset)
        )
        if self.offset < 0 or not fits:
            return self._resync()
        self.counts["update"] += 1
        self.offset = frame["offset"]
        if self.conflated:
            self.data = frame["data"]
        else:
            self.data = {
                name: [*self.data[name], *new][-KEPT_MAX:]
                for name, new in frame["data"].items()
            }
        return False

    def _resync(self) -> bool:
        self.counts["resync"] += 1
        return True


class Mirror:
    """All topics of a client."""

    def __init__(self, topics: list[str]) -> None:
        self.topics = {name: TopicMirror(name) for name in topics}

    def hello(self, token: str | None) -> list[dict[str, Any]]:
        """The frames that open a conversation, or take it up again."""
        resume = {
            topic.name: {"epoch": topic.epoch, "offset": topic.offset}
            for topic in self.topics.values()
            if topic.epoch
        }
        return [
            {"op": "hello", "v": 1, "token": token, "resume": resume},
            {"op": "subscribe", "topics": list(self.topics)},
        ]

    def receive(self, frame: dict[str, Any], now_s: float) -> list[dict[str, Any]]:
        """Apply a frame; the answers to send."""
        topic = self.topics.get(frame.get("topic", ""))
        if topic is not None and topic.receive(frame, now_s):
            return [{"op": "resync", "topic": topic.name}]
        return []

    def stale(self, now_s: float) -> bool:
        """Whether what is shown may be old."""
        return any(now_s - t.heard_at_s > STALE_AFTER_S for t in self.topics.values())


class LiveClient:
    """Keeps a mirror up to date: `async for frame in client.frames()`.

    Ends when the server says not to come back (a revoked or forbidden token).

    Args:
        headers: of the handshake, for tests of Origin and cookies.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        topics: list[str],
        headers: dict[str, str] | None = None,
    ) -> None:
        self.url, self.token, self.headers = url, token, headers or {}
        self.mirror = Mirror(topics)
        self.connects = 0
        self.close_code: int | None = None
        self._socket: ClientConnection | None = None
        self._retry_s: float | None = None
        self._failures = 0

    async def frames(self) -> AsyncIterator[dict[str, Any]]:
        """Every frame as it comes, after the mirror has taken it."""
        while True:
            try:
                async with connect(
                    self.url, additional_headers=self.headers, compression=None
                ) as socket:
                    self._socket = socket
                    self.connects += 1
                    async for frame in self._talk(socket):
                        yield frame
            except (OSError, InvalidHandshake, TimeoutError):
                self._failures += 1
            if self.close_code in FINAL_CODES:
                return
            await asyncio.sleep(self._pause_s())

    async def close(self) -> None:
        """Close the socket; `frames` would open another."""
        if self._socket is not None:
            await self._socket.close()

    async def _talk(self, socket: ClientConnection) -> AsyncIterator[dict[str, Any]]:
        with suppress(ConnectionClosed):
            for message in self.mirror.hello(self.token):
                await socket.send(json.dumps(message))
            async for text in socket:
                self._failures = 0
                frame = json.loads(text)
                if frame["op"] == "bye" and "retry_ms" in frame:
                    self._retry_s = frame["retry_ms"] / 1000
                for answer in self.mirror.receive(frame, time.monotonic()):
                    await socket.send(json.dumps(answer))
                yield frame
        self._failures += 1
        self.close_code = socket.close_code

    def _pause_s(self) -> float:
        """Full jitter, or what the server asked for."""
        retry_s, self._retry_s = self._retry_s, None
        if retry_s is not None:
            return retry_s
        most_s = min(BACKOFF_S_MAX, BACKOFF_S_MIN * 2 ** min(self._failures, 6))
        return random.uniform(0, most_s)
