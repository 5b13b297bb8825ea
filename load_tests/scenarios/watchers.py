"""Screens that watch an event: each keeps a mirror by the rules of docs/protocol.md.

The protocol comes from the `websockets` library without its I/O, on gevent's socket:
its own clients bring threads or asyncio, which locust's greenlets do not go with.
"""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from locust import User, constant, task
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from load_tests.live_client import Mirror
from load_tests.scenarios.gate_rush import queue

WATCHED_S = (15.0, 45.0)
"""How long a screen stays before it is opened anew."""
SILENCE_S_MAX = 15.0
TO_SNAPSHOT, SILENCE = "socket: hello to snapshot", "socket: silence before a frame"


class GreenSocket:
    """A websocket client on whatever `socket` is here (gevent's, under locust).

    Raises OSError or ConnectionError when the connection fails or ends.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._protocol = ClientProtocol(parse_uri(url))
        self._socket = socket.create_connection(
            (parts.hostname or "", parts.port or 80), timeout=SILENCE_S_MAX
        )
        request = self._protocol.connect()
        self._protocol.send_request(request)
        self._flush()
        while self._protocol.handshake_exc is None and not self._events():
            pass
        if self._protocol.handshake_exc is not None:
            raise ConnectionError(str(self._protocol.handshake_exc))

    def send(self, message: dict[str, Any]) -> None:
        """Send one JSON frame."""
        self._protocol.send_text(json.dumps(message).encode())
        self._flush()

    def frames(self) -> Iterator[dict[str, Any]]:
        """The JSON frames that have come; waits for the next bytes."""
        for event in self._events():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                yield json.loads(bytes(event.data))

    def close(self) -> None:
        """Say good-bye and close."""
        try:
            self._protocol.send_close(1000)
            self._flush()
        except OSError:
            pass
        self._socket.close()

    def _events(self) -> list[Any]:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the socket")
        self._protocol.receive_data(data)
        self._flush()
        return self._protocol.events_received()

    def _flush(self) -> None:
        for part in self._protocol.data_to_send():
            if part:
                self._socket.sendall(part)


class Watcher(User):
    """One screen with the attendance of the event."""

    wait_time = constant(0)
    weight = 1

    @task
    def watch(self) -> None:
        """Open, watch for a while, close."""
        target, rng = queue().target, random.Random()
        mirror = Mirror([f"event:{target.event_id}:attendance"])
        opened_s = time.perf_counter()
        until_s = opened_s + rng.uniform(*WATCHED_S)
        try:
            wire = GreenSocket(target.live)
        except OSError as error:
            self._tell(TO_SNAPSHOT, opened_s, error)
            time.sleep(rng.uniform(0.1, 0.5))
            return
        try:
            for message in mirror.hello(rng.choice(target.tokens)):
                wire.send(message)
            self._mirror(wire, mirror, opened_s, until_s)
        except OSError as error:
            self._tell(SILENCE, opened_s, error)
        finally:
            wire.close()

    def _mirror(
        self, wire: GreenSocket, mirror: Mirror, opened_s: float, until_s: float
    ) -> None:
        heard_s = opened_s
        (topic,) = mirror.topics.values()
        while time.perf_counter() < until_s:
            for frame in wire.frames():
                first = not topic.epoch
                for answer in mirror.receive(frame, time.monotonic()):
                    wire.send(answer)
                if frame["op"] in ("error", "bye"):
                    raise ConnectionError(str(frame))
                if topic.epoch:
                    self._tell(TO_SNAPSHOT if first else SILENCE, heard_s)
                    heard_s = time.perf_counter()

    def _tell(self, name: str, since_s: float, error: OSError | None = None) -> None:
        self.environment.events.request.fire(
            request_type="WS",
            name=name,
            response_time=(time.perf_counter() - since_s) * 1000,
            response_length=0,
            exception=error,
            context={},
        )
