"""Real stores for the tests: PostgreSQL and Valkey, each test with data of its own.

Each worker of pytest-xdist starts its own servers when a test first asks for one, and
stops them at its end; they share nothing, so nothing has to be coordinated. A database
is migrated once and cloned for each test (about 50 ms). The stores lie in memory where
there is room: what a disk is slow at is to make and delete the thousand files of a
database again and again, and nothing here outlives its process. TEST_DATABASE_URL and
TEST_REDIS_URL point the tests at servers that run already: the first one's user must
be allowed to create databases, the second one is EMPTIED before each test.
"""

from __future__ import annotations

import gc
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import redis
from xdist.scheduler import LoadFileScheduling

from ops.db import migrate
from ops.db.engine import Database
from ops.db.session import Sessions
from ops.dev.servers import EmbeddedPostgres, EmbeddedValkey
from ops.ids import uuid7

HEAVY = ("tests/e2e/", "tests/faults/")
MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 << 30
"""A worker's stores stay below one GiB, their WAL included."""
COPIED = " STRATEGY file_copy"
"""Its files as they are; the other way writes each page to the WAL as well."""


class ByFile(LoadFileScheduling):
    """A file is one worker's, and so is all that starts whole houses: pages in a
    browser and faults. Side by side they would be each other's fault."""

    def _split_scope(self, nodeid: str) -> str:
        return "heavy" if nodeid.startswith(HEAVY) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """How tests are given to workers (`make test`)."""
    return ByFile(config, log)


def pytest_configure() -> None:
    """Thousands of scans need no line each in the report of a failed test."""
    logging.getLogger("httpx").setLevel(logging.WARNING)


def pytest_collection_finish() -> None:
    """What was collected stays: no round of the collector walks over it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the stores of this worker lie: in memory if enough of it is free."""
    if not (os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES):
        yield tmp_path_factory.mktemp("stores")
        return
    with tempfile.TemporaryDirectory(
        prefix="ops-tests-", dir=MEMORY, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres_url(store_folder: Path) -> Iterator[str]:
    """The address of a server of this worker, whose user may create databases."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    server = EmbeddedPostgres(store_folder / "postgres", fast=True)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def valkey_url(store_folder: Path) -> Iterator[str]:
    """The address of a server of this worker; tests take `redis_url`."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    server = EmbeddedValkey(store_folder / "valkey")
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """The address of an empty Valkey or Redis."""
    with redis.Redis.from_url(valkey_url, protocol=2) as client:
        client.flushall()
        client.script_flush()
    return valkey_url


@pytest.fixture(scope="session")
async def template(postgres_url: str) -> AsyncIterator[str]:
    """The name of a migrated database that nobody is connected to."""
    name = _database_name()
    await _admin(postgres_url, f"CREATE DATABASE {name}")
    await migrate.upgrade(at(postgres_url, name))
    yield name
    await _admin(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def catalog_url(postgres_url: str, template: str) -> AsyncIterator[str]:
    """The address of a migrated database to look at, not to write to."""
    name = _database_name()
    await _admin(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}{COPIED}")
    yield at(postgres_url, name)
    await _admin(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def make_database(
    postgres_url: str,
) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Make empty databases that live until the end of the session."""
    names: list[str] = []

    async def make() -> str:
        names.append(_database_name())
        await _admin(postgres_url, f"CREATE DATABASE {names[-1]}")
        return at(postgres_url, names[-1])

    yield make
    for name in names:
        await _admin(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def empty_database_url(postgres_url: str) -> AsyncIterator[str]:
    """The address of a database of this test without any table."""
    name = _database_name()
    await _admin(postgres_url, f"CREATE DATABASE {name}")
    yield at(postgres_url, name)
    await _admin(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database_url(postgres_url: str, template: str) -> AsyncIterator[str]:
    """The address of a migrated database of this test."""
    name = _database_name()
    await _admin(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}{COPIED}")
    yield at(postgres_url, name)
    await _admin(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
async def cloned_database_url(postgres_url: str, template: str) -> AsyncIterator[str]:
    """The address of a migrated database of this module, for processes that last."""
    name = _database_name()
    await _admin(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}{COPIED}")
    yield at(postgres_url, name)
    await _admin(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The connections to a migrated database of this test."""
    database = Database(database_url, "tests")
    await database.start()
    yield database
    await database.stop()


@pytest.fixture
async def sessions(database_url: str) -> AsyncIterator[Sessions]:
    """The CRM's sessions on a migrated database of this test."""
    sessions = Sessions(database_url, "tests")
    await sessions.start()
    yield sessions
    await sessions.stop()


def at(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _database_name() -> str:
    return f"test_{uuid7().hex}"


async def _admin(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
