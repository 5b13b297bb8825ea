"""Real processes for tests: roles started as a user starts them, ended by their pid."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx

START_S = 90.0


_PORTS = range(20_000, 32_000)
"""Below those that systems hand out by themselves: what is free now is not taken by
anybody's connection while a process starts that shall listen on it."""
_NOBODYS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def free_port() -> int:
    """A port that nobody uses now."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def client(**options: Any) -> httpx.AsyncClient:
    """A client for the loopback: no proxy of the machine's is asked, and the machine's
    certificates, which nobody here shows, are not read (30 ms). It waits 30 s."""
    usual = {"trust_env": False, "verify": _NOBODYS, "timeout": 30.0}
    return httpx.AsyncClient(**{**usual, **options})


class Role:
    """A process of one role: `async with Role("api", env, port=..)`."""

    def __init__(self, role: str, env: dict[str, str], log: Path) -> None:
        self.role = role
        self.env = {**os.environ, **env}
        self._log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; `ready` waits."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ops.cli", "serve", self.role],
                env=self.env,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parent.parent,
            )

    def kill(self) -> None:
        """kill -9, at once."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)


async def until_answers(url: str, process: subprocess.Popen[bytes] | None) -> None:
    """Wait until a GET is answered with 200."""
    end = time.monotonic() + START_S
    async with client(timeout=2) as http:
        while True:
            try:
                answer = await http.get(url)
                if answer.status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            assert process is None or process.poll() is None, "the process ended"
            assert time.monotonic() < end, f"{url} does not answer"
            await asyncio.sleep(0.05)
