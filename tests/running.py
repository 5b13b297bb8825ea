"""Real processes for tests: roles started as a user starts them, ended by their pid."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx

START_S = 90.0


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
    async with httpx.AsyncClient() as client:
        while True:
            try:
                answer = await client.get(url, timeout=2)
                if answer.status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            assert process is None or process.poll() is None, "the process ended"
            assert time.monotonic() < end, f"{url} does not answer"
            await asyncio.sleep(0.05)
