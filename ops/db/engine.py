"""The connections of a process to PostgreSQL.

Three ways in, never shared: `door` for the desk alone, `back` for the way back from
mode D, `pool` for all other plain SQL. A slow report cannot keep a guest waiting, nor
the doors in mode D. The CRM's models come through another,
`ops.db.session`, which is a module of its own because SQLAlchemy costs a process 0.7 s
at its start and 25 MB: the roles that a door waits for do without.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import asyncpg
import msgspec

from ops.db.pools import CALL_TIMEOUT_S, QUERIES_MAX, BoundedPool
from ops.errors import StoreUnavailable

POOL_SIZE_MAX = 5
DOOR_SIZE_MIN = 4
DOOR_SIZE_MAX = 5
"""Two batches under way, each may commit and verify at the same time, and one spare
that a retry never has to wait for."""
BACK_SIZE_MAX = 2
"""The merge and the modes: one each."""
STATEMENT_TIMEOUT = "30s"
DOOR_STATEMENT_TIMEOUT = "10s"
SEARCH_PATH = "public"
"""Set for every connection: PostgreSQL's default begins with a schema of the user's
name, and the user of the embedded server is called like our schema `ops`."""
CONNECT_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 5.0

_encoder = msgspec.json.Encoder()
decode_json = msgspec.json.Decoder().decode


def encode_json(value: object) -> str:
    """The text of a json or jsonb parameter."""
    return _encoder.encode(value).decode()


@contextmanager
def unavailable() -> Iterator[None]:
    """Turn failures to connect into StoreUnavailable.

    Raises:
        StoreUnavailable: with PostgreSQL's own words, which name no password.
    """
    try:
        yield
    except (
        OSError,
        TimeoutError,
        asyncpg.PostgresError,
        asyncpg.TargetServerAttributeNotMatched,  # several hosts, no primary among them
    ) as error:
        raise StoreUnavailable(f"PostgreSQL cannot be reached: {error}") from error


def connection_settings(application_name: str, **more: str) -> dict[str, str]:
    """What a connection is told when it is opened; costs no query."""
    return {"application_name": application_name, "search_path": SEARCH_PATH, **more}


class Pooled(Protocol):
    """Anything with connections for plain SQL: those of a process, those of the CRM."""

    @property
    def pool(self) -> asyncpg.Pool[asyncpg.Record]:
        """jsonb comes and goes as objects."""


class Database:
    """The connections of one process.

    Args:
        url: `postgresql://user@host1:5432,host2:5432/name?target_session_attrs=..`,
            or `postgresql://user@/name?host=/folder` for a unix socket.
        application_name: shown in pg_stat_activity.
        rehearse: what each new connection of the door does before it is used
            (`ops.db.door_calls.rehearse`).
    """

    def __init__(
        self,
        url: str,
        application_name: str = "ops",
        rehearse: Callable[[Any], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self._url = url
        self._name = application_name
        self._rehearse = rehearse
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._door: asyncpg.Pool[asyncpg.Record] | None = None
        self._back: asyncpg.Pool[asyncpg.Record] | None = None

    @property
    def pool(self) -> asyncpg.Pool[asyncpg.Record]:
        """At most 5 connections, 30 s a statement; jsonb comes and goes as objects."""
        assert self._pool is not None, "Database.start() has not been called"
        return self._pool

    @property
    def back(self) -> asyncpg.Pool[asyncpg.Record]:
        """As `pool`, for the merge and the modes alone: no duty that hangs or is long
        at work keeps an event in mode D. Opens its connections when they are used."""
        assert self._back is not None, "Database.start() has not been called"
        return self._back

    @property
    def door(self) -> asyncpg.Pool[asyncpg.Record]:
        """4 connections that stay open and one spare; jsonb is text. The pool opens
        lost ones again beside the work.

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
        try:
            with unavailable():
                self._door = await asyncpg.create_pool(
                    self._url,
                    min_size=DOOR_SIZE_MIN,
                    max_size=DOOR_SIZE_MAX,
                    max_queries=QUERIES_MAX,
                    max_inactive_connection_lifetime=0,
                    timeout=CONNECT_TIMEOUT_S,
                    init=self._rehearse,
                    reset=_keep_as_it_is,
                    server_settings=connection_settings(
                        f"{self._name} door",
                        # What we gave up waiting for shall not stay behind and block.
                        statement_timeout=DOOR_STATEMENT_TIMEOUT,
                        client_connection_check_interval="500",
                    ),
                )
                self._pool = await self._plain("", 1, POOL_SIZE_MAX)
                self._back = await self._plain(" back", 0, BACK_SIZE_MAX)
        except BaseException:
            await self.stop()
            raise

    async def _plain(self, name: str, size_min: int, size_max: int) -> BoundedPool:
        return await BoundedPool(
            self._url,
            min_size=size_min,
            max_size=size_max,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=CALL_TIMEOUT_S,
            init=_speak_json,
            server_settings=connection_settings(
                f"{self._name}{name}", statement_timeout=STATEMENT_TIMEOUT
            ),
        )

    async def connect(self) -> asyncpg.Connection[asyncpg.Record]:
        """A connection of the caller's own, to terminate after use.

        Raises:
            OSError, TimeoutError, asyncpg.PostgresError: it could not be opened.
        """
        return await asyncpg.connect(
            self._url,
            timeout=CONNECT_TIMEOUT_S,
            server_settings=connection_settings(f"{self._name} probe"),
        )

    async def renew_door(self) -> None:
        """Replace the idle connections of the door; those at work follow when idle."""
        await self.door.expire_connections()
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(DOOR_SIZE_MIN):
                taken = self.door.acquire(timeout=CONNECT_TIMEOUT_S)
                await stack.enter_async_context(taken)

    async def stop(self) -> None:
        """Close all connections, by force after 5 s; may come twice or unstarted."""
        mine = (self._pool, self._back, self._door)
        self._pool = self._back = self._door = None
        pools = [pool for pool in mine if pool is not None]
        for pool in pools:
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await pool.close()
            except TimeoutError:
                pool.terminate()


async def _speak_json(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=encode_json,
            decoder=decode_json,
        )


async def _keep_as_it_is(_: object) -> None:
    """Leave the connection as it is: asyncpg's own reset is a round trip a batch."""
