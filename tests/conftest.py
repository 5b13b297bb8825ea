"""Real stores for the tests: PostgreSQL and Valkey, each test with data of its own.

Each worker of pytest-xdist starts its own servers when a test first asks for one, and
stops them at its end; they share nothing, so nothing has to be coordinated. A database
is migrated once and cloned for each test (about 50 ms). TEST_DATABASE_URL and
TEST_REDIS_URL point the tests at servers that run already: the first one's user must
be allowed to create databases, the second one is EMPTIED before each test.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import redis

from ops.db import migrate
from ops.db.engine import Database
from ops.db.session import Sessions
from ops.dev.servers import EmbeddedPostgres, EmbeddedValkey
from ops.ids import uuid7


def pytest_configure() -> None:
    """Thousands of scans need no line each in the report of a failed test."""
    logging.getLogger("httpx").setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of this worker, whose user may create databases."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    server = EmbeddedPostgres(_folder(tmp_path_factory, "postgres"), fast=True)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of this worker; tests take `redis_url`."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    server = EmbeddedValkey(_folder(tmp_path_factory, "valkey"))
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
    await _admin(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}")
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
    await _admin(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield at(postgres_url, name)
    await _admin(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
async def cloned_database_url(postgres_url: str, template: str) -> AsyncIterator[str]:
    """The address of a migrated database of this module, for processes that last."""
    name = _database_name()
    await _admin(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}")
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


def _folder(factory: pytest.TempPathFactory, name: str) -> Path:
    return factory.mktemp(name)


async def _admin(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
