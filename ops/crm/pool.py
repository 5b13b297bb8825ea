"""Connections of the CRM: at most six a process, apart from the door's.

Two at a time may run what takes seconds, two may export: a list always finds one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from ops.db.engine import (
    CONNECT_TIMEOUT_S,
    STATEMENT_TIMEOUT,
    STOP_TIMEOUT_S,
    connection_settings,
    decode_json,
    encode_json,
    unavailable,
)
from ops.db.pools import WAIT_TIMEOUT_S, BoundedPool
from ops.errors import Unavailable

STATEMENTS_MAX = 500
"""Texts of the API that a connection keeps prepared: two or three a resource."""
CONNECTIONS_MAX = 6
HEAVY_MAX = 2
"""Counts of segments, searches for duplicates, dossiers, erasures at a time."""


class CrmPool:
    """Plain SQL over connections of their own; jsonb comes and goes as objects.

    Plans are made with the values at hand (`force_custom_plan`): a search for a rare
    word and one for a common word need different ones.
    """

    def __init__(self, url: str, application_name: str = "ops crm") -> None:
        self._url, self._name = url, application_name
        self._heavy = asyncio.Semaphore(HEAVY_MAX)
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    @property
    def pool(self) -> asyncpg.Pool[asyncpg.Record]:
        """The connections; 30 s a statement. Leave no setting or lock behind."""
        assert self._pool is not None, "CrmPool.start() has not been called"
        return self._pool

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Within: what takes seconds. Two at a time, the others wait for their turn.

        Raises:
            Unavailable: two are at it, and still were after 10 s.
        """
        try:
            async with asyncio.timeout(WAIT_TIMEOUT_S):
                await self._heavy.acquire()
        except TimeoutError:
            raise Unavailable(
                "Others are counting here just now; try again.",
                headers={"Retry-After": "10"},
            ) from None
        try:
            yield
        finally:
            self._heavy.release()

    async def start(self) -> None:
        """Open a first connection; a second call does nothing.

        Raises:
            StoreUnavailable: the database could not be reached.
        """
        if self._pool is not None:
            return
        with unavailable():
            self._pool = await BoundedPool(
                self._url,
                min_size=1,
                max_size=CONNECTIONS_MAX,
                timeout=CONNECT_TIMEOUT_S,
                init=_speak_json,
                reset=_keep_as_it_is,
                statement_cache_size=STATEMENTS_MAX,
                server_settings=connection_settings(
                    self._name,
                    statement_timeout=STATEMENT_TIMEOUT,
                    plan_cache_mode="force_custom_plan",
                ),
            )

    async def stop(self) -> None:
        """Close all, by force after 5 s; may come twice or unstarted."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await pool.close()
        except TimeoutError:
            pool.terminate()


async def _speak_json(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=encode_json, decoder=decode_json
        )


async def _keep_as_it_is(_: object) -> None:
    """Nothing is left behind, so nothing needs to be reset: a round trip less."""
