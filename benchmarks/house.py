"""Real stores and real roles for a benchmark, ended with it.

PostgreSQL is durable (fsync and synchronous_commit on), Valkey keeps its file.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from benchmarks.event import BulkEvent
from ops.cache import keys
from ops.db import migrate
from ops.dev.servers import Embedded
from ops.errors import OpsError

START_S_MAX = 60.0
WARM_S_MAX = 300.0
API = ("-m", "benchmarks.api_role")
ROOT = Path(__file__).parent.parent


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Role:
    """One process of the server."""

    def __init__(self, arguments: tuple[str, ...], env: dict[str, str]) -> None:
        self.port = int(env.get("OPS_PORT", "0"))
        log = Path(env["OPS_DATA_DIR"]) / "roles.log"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("OPS_")}
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                env={**clean, **env},
                stdout=out,
                stderr=out,
                cwd=ROOT,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    async def answers(self) -> None:
        """Wait until it says that it lives.

        Raises:
            OpsError: it ended, or takes longer than a minute.
        """
        url = f"http://127.0.0.1:{self.port}/healthz"
        end_s = time.monotonic() + START_S_MAX
        while time.monotonic() < end_s and self.process.poll() is None:
            try:
                await asyncio.to_thread(_get, url)
                return
            except (OSError, urllib.error.URLError):
                await asyncio.sleep(0.02)
        raise OpsError(f"{url} does not answer: see roles.log")

    async def metrics(self) -> dict[str, float]:
        """The process's own figures, by name with labels."""
        text = await asyncio.to_thread(_get, f"http://127.0.0.1:{self.port}/metrics")
        lines = (line.rpartition(" ") for line in text.splitlines())
        return {name: float(value) for name, _, value in lines if name[:1] != "#"}

    def stop(self) -> None:
        """End it and wait."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        text: str = answer.read().decode()
    return text


class House:
    """Stores, connections of the benchmark itself, and the roles it started."""

    def __init__(self, folder: Path, embedded: Embedded) -> None:
        self.folder, self.embedded = folder, embedded
        self.database_url, self.redis_url = embedded.postgres.url, embedded.valkey.url
        self.redis = Redis.from_url(self.redis_url, protocol=2)
        self.roles: list[Role] = []
        self.syncing: Role | None = None
        self.db: asyncpg.Connection

    def environment(self, **more: str) -> dict[str, str]:
        """The settings of a role, as variables."""
        return {
            "OPS_DATABASE_URL": self.database_url,
            "OPS_REDIS_URL": self.redis_url,
            "OPS_DATA_DIR": str(self.folder),
            "OPS_LOG_LEVEL": "warning",
            "PYTHONPATH": str(ROOT),
            **{f"OPS_{name.upper()}": value for name, value in more.items()},
        }

    async def api(self, **more: str) -> Role:
        """An api process that answers."""
        settings = {"port": str(free_port()), **more}
        role = Role(API, self.environment(**settings))
        self.roles.append(role)
        await role.answers()
        return role

    async def live(self) -> Role:
        """A live process that answers."""
        port = str(free_port())
        settings = self.environment(port=port, live_port=port)
        role = Role(("-m", "ops.cli", "serve", "live"), settings)
        self.roles.append(role)
        await role.answers()
        return role

    def sync(self) -> Role:
        """A sync process."""
        role = Role(("-m", "ops.cli", "serve", "sync"), self.environment())
        self.roles.append(role)
        self.syncing = role
        return role

    async def warm(self, event: BulkEvent) -> None:
        """Wait until the event's cache is ready.

        Raises:
            OpsError: it takes longer than five minutes.
        """
        end_s = time.monotonic() + WARM_S_MAX
        while time.monotonic() < end_s:
            if await self.redis.hget(keys.meta(event.id), "state") == b"ready":
                return
            await asyncio.sleep(0.05)
        raise OpsError("the cache does not become warm: see roles.log")

    async def admitted(self, event: BulkEvent) -> int:
        """Admissions in PostgreSQL."""
        found: int = await self.db.fetchval(
            "SELECT count(*) FROM check_ins WHERE event_id = $1", event.id
        )
        return found

    def end(self, role: Role) -> None:
        """Stop a role before the house does."""
        self.roles.remove(role)
        role.stop()


@contextmanager
def _folder(keep: Path | None) -> Iterator[str]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="ops-bench-") as made:
            yield made
    else:
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield str(keep.resolve())


@asynccontextmanager
async def open_house(keep: Path | None = None) -> AsyncIterator[House]:
    """A house on durable stores in a folder that is removed at the end.

    With `keep` the folder stays: what takes minutes to fill is there for the next run.
    """
    with _folder(keep) as folder:
        embedded = Embedded(folder)
        embedded.start()
        house = House(Path(folder), embedded)
        try:
            await migrate.upgrade(house.database_url)
            house.db = await asyncpg.connect(
                house.database_url, server_settings={"search_path": "public"}
            )
            yield house
            await house.db.close()
        finally:
            await house.redis.aclose()
            for role in reversed(house.roles):
                role.stop()
            embedded.stop()
