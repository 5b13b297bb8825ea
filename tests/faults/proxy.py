"""A proxy between two processes that does to bytes what a bad network does.

Listens on a unix socket or a port of loopback and forwards to another. What it does
to the bytes is changed while they flow: `pass`, `delay` (each chunk waits), `cut` (what
is open is closed, what is new is refused), `swallow` (bytes vanish, nobody is told).
`reset` is an act: what is open is thrown away, what is new passes.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import Literal
from weakref import WeakSet

CHUNK = 65_536
Mode = Literal["pass", "delay", "cut", "swallow"]
Address = int | Path
"""A port of loopback or the path of a unix socket."""


class Link:
    """One connection through the proxy: two streams and what became of them."""

    def __init__(
        self,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self.near, self.far = near, far
        self.lost_bytes = False

    def close(self, *, rudely: bool = False) -> None:
        """Close both ends; rudely means with a reset where there is such a thing."""
        for _, writer in (self.near, self.far):
            if rudely:
                _forget_linger(writer)
                writer.transport.abort()
            else:
                writer.close()


class Proxy:
    """One hop. `start` returns when it listens; `stop` closes all that is open."""

    def __init__(self, listen: Address, target: Address) -> None:
        self.listen, self.target = listen, target
        self.mode: Mode = "pass"
        self.delay_s = 0.0
        self._links: set[Link] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: WeakSet[asyncio.StreamWriter] = WeakSet()

    async def start(self) -> None:
        """Listen."""
        if isinstance(self.listen, int):
            self._server = await asyncio.start_server(
                self._accept, "127.0.0.1", self.listen, backlog=2048
            )
        else:
            self.listen.parent.mkdir(parents=True, exist_ok=True)
            self.listen.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(
                self._accept, str(self.listen), backlog=2048
            )

    async def stop(self) -> None:
        """Close everything; may come twice."""
        if self._server is not None:
            self._server.close()
        self.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in list(self._writers):
            writer.transport.abort()  # also who has closed and still wants to send
        await asyncio.sleep(0)

    def set(self, mode: Mode, delay_s: float = 0.0) -> None:
        """From now on do this; what a swallow has made incomplete is closed."""
        self.mode, self.delay_s = mode, delay_s
        for link in list(self._links):
            if mode == "cut" or (link.lost_bytes and mode != "swallow"):
                link.close()

    def reset(self) -> None:
        """Throw away what is open now."""
        for link in list(self._links):
            link.close(rudely=True)

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._writers.add(writer)
        if self.mode == "cut":
            writer.close()
            return
        try:
            far = await self._connect()
        except OSError:
            writer.close()
            return
        self._writers.add(far[1])
        link = Link((reader, writer), far)
        self._links.add(link)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(link, reader, far[1]))
                group.create_task(self._pump(link, far[0], writer))
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._links.discard(link)
            link.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, int):
            return await asyncio.open_connection("127.0.0.1", self.target)
        return await asyncio.open_unix_connection(str(self.target))

    async def _pump(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while chunk := await reader.read(CHUNK):
            if self.mode == "swallow":
                link.lost_bytes = True
                continue
            if self.mode == "delay":
                await asyncio.sleep(self.delay_s)
            writer.write(chunk)
            await writer.drain()
        with suppress(OSError):
            # An end that closes takes the other with it: nobody here half-closes.
            link.close()


def _forget_linger(writer: asyncio.StreamWriter) -> None:
    """Closing then sends a reset instead of an end."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.family == socket.AF_INET:
        with suppress(OSError):
            sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
