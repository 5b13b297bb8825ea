"""A pool of connections whose calls end within their time, the wait included.

asyncpg's own `pool.fetch(.., timeout=)` bounds the statement alone: the wait for a
connection has no end, and after a timeout giving the connection back waits until the
server confirms the cancel (5 s and more when it is stopped, measured). Five such calls
once held all connections of a process, and nobody else got one.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

import asyncpg

WAIT_TIMEOUT_S = 10.0
"""For a connection."""
CALL_TIMEOUT_S = 35.0
"""A call that names no limit: a little more than the server gives a statement."""
IDLE_S = 300.0
QUERIES_MAX = 2**31 - 1
"""The pool would replace a connection after 50,000 queries, in the middle of a rush."""
LEAVE_S_MIN = 0.05
"""A connection is given back in what is left of the time, and at least in this."""

DATABASE_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What a call may end with when PostgreSQL is away or leaves in the middle of it."""


class BoundedPool(asyncpg.Pool):
    """As asyncpg's, but nobody waits without end.

    A connection whose call timed out, broke or was cancelled is thrown away
    (`terminate`): its outcome is unknown, and nothing is waited for.

    Attributes:
        wait_s: who waits longer for a connection is told to come later, also one whose
            statement may take longer than that.
    """

    wait_s = WAIT_TIMEOUT_S

    def __init__(self, url: str, **settings: Any) -> None:
        super().__init__(
            url,
            max_queries=QUERIES_MAX,
            max_inactive_connection_lifetime=IDLE_S,
            loop=None,
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            **settings,
        )

    def acquire(self, *, timeout: float | None = None) -> Any:
        """A connection, within 10 s unless told otherwise.

        Raises:
            TimeoutError: all are taken.
        """
        return super().acquire(timeout=self.wait_s if timeout is None else timeout)

    async def execute(
        self, query: str, *args: Any, timeout: float | None = None
    ) -> Any:
        """The status of a statement; raises as `fetch`."""
        return await self._call("execute", timeout, query, *args)

    async def fetch(
        self, query: Any, *args: Any, timeout: float | None = None, **more: Any
    ) -> Any:
        """The rows of a statement.

        Raises:
            TimeoutError: no answer within `timeout` seconds, or no connection within
                `wait_s`.
            asyncpg.PostgresError, asyncpg.InterfaceError, OSError: it failed.
        """
        return await self._call("fetch", timeout, query, *args, **more)

    async def fetchval(
        self, query: Any, *args: Any, timeout: float | None = None, **more: Any
    ) -> Any:
        """One value of the first row; raises as `fetch`."""
        return await self._call("fetchval", timeout, query, *args, **more)

    async def fetchrow(
        self, query: Any, *args: Any, timeout: float | None = None, **more: Any
    ) -> Any:
        """The first row; raises as `fetch`."""
        return await self._call("fetchrow", timeout, query, *args, **more)

    async def _call(
        self, name: str, limit_s: float | None, *args: Any, **more: Any
    ) -> Any:
        limit_s = CALL_TIMEOUT_S if limit_s is None else limit_s
        until_s = time.monotonic() + limit_s
        connection = await self.acquire(timeout=min(self.wait_s, limit_s))
        left_s = max(0.001, until_s - time.monotonic())
        try:
            reply = await getattr(connection, name)(*args, timeout=left_s, **more)
        except asyncpg.PostgresError:
            # Said by the server, or a value that it would refuse: it works.
            await self._leave(connection, until_s)
            raise
        except BaseException:
            connection.terminate()
            await self.release(connection)
            raise
        await self._leave(connection, until_s)
        return reply

    async def _leave(self, connection: Any, until_s: float) -> None:
        """Give it back; one that cannot be reset in time is thrown away by `release`,
        and what it said before holds all the same."""
        left_s = max(LEAVE_S_MIN, until_s - time.monotonic())
        with contextlib.suppress(*DATABASE_ERRORS):
            await self.release(connection, timeout=left_s)
