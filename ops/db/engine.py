"""The connections of a process to PostgreSQL.

Three ways in, never shared: `door` for the desk alone, `pool` for plain SQL of all
else, `session()` for the CRM's models. A slow report cannot keep a guest waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import msgspec
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import NullPool

from ops.errors import StoreUnavailable

POOL_SIZE_MAX = 5
DOOR_SIZE_MIN = 2
DOOR_SIZE_MAX = 3
"""Two batches under way, and one spare that a retry never has to wait for."""
STATEMENT_TIMEOUT = "30s"
SEARCH_PATH = "public"
"""Set for every connection: PostgreSQL's default begins with a schema of the user's
name, and the user of the embedded server is called like our schema `ops`."""
CONNECT_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 5.0
QUERIES_MAX = 2**31 - 1
"""The pool would replace a connection after 50,000 queries, in the middle of a rush."""

_encode_json = msgspec.json.Encoder().encode
_decode_json = msgspec.json.Decoder().decode


@contextmanager
def unavailable() -> Iterator[None]:
    """Turn failures to connect into StoreUnavailable.

    Raises:
        StoreUnavailable: with PostgreSQL's own words, which name no password.
    """
    try:
        yield
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise StoreUnavailable(f"PostgreSQL cannot be reached: {error}") from error


def connect_once(url: str, application_name: str) -> AsyncEngine:
    """An engine without a pool, for one piece of work; dispose of it afterwards."""
    return _engine(url, _settings(application_name), poolclass=NullPool)


class Database:
    """The connections of one process.

    Args:
        url: `postgresql://user@host1:5432,host2:5432/name?target_session_attrs=..`,
            or `postgresql://user@/name?host=/folder` for a unix socket.
        application_name: shown in pg_stat_activity.
    """

    def __init__(self, url: str, application_name: str = "ops") -> None:
        self._url = url
        self._name = application_name
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._door: asyncpg.Pool[asyncpg.Record] | None = None
        self._engine: AsyncEngine | None = None
        self._sessions: async_sessionmaker[AsyncSession] | None = None

    @property
    def pool(self) -> asyncpg.Pool[asyncpg.Record]:
        """At most 5 connections, 30 s a statement; jsonb comes and goes as objects."""
        assert self._pool is not None, "Database.start() has not been called"
        return self._pool

    @property
    def door(self) -> asyncpg.Pool[asyncpg.Record]:
        """2 connections that stay open and one spare; jsonb is text.

        No query is sent when a connection is taken or given back: whoever takes one
        leaves no setting, lock or cursor behind. After a timeout `terminate()` it.
        """
        assert self._door is not None, "Database.start() has not been called"
        return self._door

    async def start(self) -> None:
        """Open the connections; return when a first statement can be sent.

        Raises:
            StoreUnavailable: the database could not be reached.
        """
        if self._pool is not None:
            return
        settings = _settings(self._name, statement_timeout=STATEMENT_TIMEOUT)
        try:
            with unavailable():
                self._door = await asyncpg.create_pool(
                    self._url,
                    min_size=DOOR_SIZE_MIN,
                    max_size=DOOR_SIZE_MAX,
                    max_queries=QUERIES_MAX,
                    max_inactive_connection_lifetime=0,
                    timeout=CONNECT_TIMEOUT_S,
                    reset=_keep_as_it_is,
                    server_settings=_settings(f"{self._name} door"),
                )
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=1,
                    max_size=POOL_SIZE_MAX,
                    timeout=CONNECT_TIMEOUT_S,
                    init=_speak_json,
                    server_settings=settings,
                )
        except BaseException:
            await self.stop()
            raise
        self._engine = _engine(
            self._url,
            settings,
            pool_size=POOL_SIZE_MAX,
            max_overflow=0,
            pool_pre_ping=True,
        )
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    async def stop(self) -> None:
        """Close all connections, by force after 5 s; may come twice or unstarted."""
        pools = [pool for pool in (self._pool, self._door) if pool is not None]
        engine = self._engine
        self._pool = self._door = self._engine = self._sessions = None
        if engine is not None:
            await engine.dispose()
        for pool in pools:
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await pool.close()
            except TimeoutError:
                pool.terminate()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """One request, one transaction: committed at the end, undone on an error."""
        assert self._sessions is not None, "Database.start() has not been called"
        async with self._sessions() as session, session.begin():
            yield session


def _settings(application_name: str, **more: str) -> dict[str, str]:
    """What a connection is told when it is opened; costs no query."""
    return {"application_name": application_name, "search_path": SEARCH_PATH, **more}


def _engine(url: str, settings: dict[str, str], **options: Any) -> AsyncEngine:
    # asyncpg reads the URL itself: several hosts, unix sockets, target_session_attrs.
    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(
            url,
            timeout=CONNECT_TIMEOUT_S,
            server_settings=settings,
        )

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        json_serializer=lambda value: _encode_json(value).decode(),
        json_deserializer=_decode_json,
        **options,
    )


async def _speak_json(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=lambda value: _encode_json(value).decode(),
            decoder=_decode_json,
        )


async def _keep_as_it_is(_: object) -> None:
    """Leave the connection as it is: asyncpg's own reset is a round trip a batch."""
