"""The live role as a process: `ops serve live`, its end, and what it imports."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect

from ops.db.engine import Database
from ops.live.server import NICENESS
from tests.integration.test_live_figures import sign_in
from tests.live_world import Client
from tests.running import START_S, free_port
from tests.small_event import SmallEvent

_IMPORTS = """
import sys, ops.live.server
print(*sorted(name for name in sys.modules if name.count(".") < 2))
"""


@asynccontextmanager
async def process(database_url: str, redis_url: str, port: int) -> Any:
    """A live process on this port, ready when it says so."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("OPS_")}
    environ |= {
        "OPS_DATABASE_URL": database_url,
        "OPS_REDIS_URL": redis_url,
        "OPS_LIVE_PORT": str(port),
        "OPS_LOG_LEVEL": "warning",
    }
    ready, theirs = os.pipe()
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ops.cli", "serve", "live"),
        f"--ready-fd={theirs}",
        env=environ,
        pass_fds=[theirs],
    )
    os.close(theirs)
    try:
        async with asyncio.timeout(START_S):
            assert await asyncio.to_thread(os.read, ready, 1) == b"1"
        yield child
    finally:
        os.close(ready)
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
            await child.wait()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def event(database: Database) -> SmallEvent:
    return await SmallEvent.make(database.pool, tickets=3)


async def test_sigterm_drains_and_exits_cleanly(
    database: Database, database_url: str, redis_url: str, event: SmallEvent, port: int
) -> None:
    token = await sign_in(database, '{"*": {"read": true}}', None)
    async with (
        process(database_url, redis_url, port) as child,
        connect(f"ws://127.0.0.1:{port}/live") as socket,
    ):
        one = Client(socket)
        await one.hello(token)
        shown = await one.watch(f"event:{event.id}:attendance")
        assert shown["source"] == "database"  # nobody warmed the cache
        child.send_signal(signal.SIGTERM)
        bye = await one.hear_op("bye")
        assert (bye["code"], bye["retry_ms"] >= 0) == (4101, True)
        assert await one.code() == 4101
        assert await child.wait() == 0


async def test_screens_come_after_the_doors(
    database_url: str, redis_url: str, port: int
) -> None:
    async with process(database_url, redis_url, port) as child:
        found = os.getpriority(os.PRIO_PROCESS, child.pid)
        assert found == max(NICENESS, os.nice(0))


async def test_two_processes_share_a_port(
    database: Database, database_url: str, redis_url: str, event: SmallEvent, port: int
) -> None:
    token = await sign_in(database, '{"*": {"read": true}}', None)
    clients = AsyncExitStack()
    async with (
        process(database_url, redis_url, port) as first,
        process(database_url, redis_url, port) as second,
        clients,
    ):
        sockets = []
        for _ in range(24):
            socket = await clients.enter_async_context(
                connect(f"ws://127.0.0.1:{port}/live")
            )
            sockets.append(Client(socket))
            await sockets[-1].hello(token)
        first.send_signal(signal.SIGTERM)
        await first.wait()
        closed = await asyncio.gather(*(_closes(one) for one in sockets))
        left = [one for one, gone in zip(sockets, closed, strict=True) if not gone]
        # Both had some of them, and the other process serves on.
        assert 0 < len(left) < len(sockets)
        shown = await left[0].watch(f"event:{event.id}:sessions")
        assert shown["op"] == "snapshot"
        assert second.returncode is None


def test_it_imports_no_web_framework_and_no_orm() -> None:
    found = subprocess.check_output([sys.executable, "-c", _IMPORTS], text=True)
    modules = set(found.split())
    assert "websockets" in modules
    assert not modules & {"litestar", "sqlalchemy", "alembic", "uvicorn", "ops.crm"}


async def _closes(one: Client) -> bool:
    try:
        return await one.code(within_s=0.2) == 4101
    except TimeoutError:
        return False
