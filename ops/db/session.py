"""The CRM's way to PostgreSQL: SQLAlchemy sessions over connections of their own.

One request is one transaction, committed at its edge; features never commit.
Relationships never load by themselves (`lazy="raise"`): a query says what it needs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import NullPool

from ops.db.engine import (
    CONNECT_TIMEOUT_S,
    POOL_SIZE_MAX,
    STATEMENT_TIMEOUT,
    connection_settings,
    decode_json,
    encode_json,
    unavailable,
)


class Sessions:
    """The sessions of one process; at most 5 at a time, 30 s a statement.

    Args:
        url: as for `ops.db.engine.Database`.
        application_name: shown in pg_stat_activity.
    """

    def __init__(self, url: str, application_name: str = "ops crm") -> None:
        self._url = url
        self._name = application_name
        self._engine: AsyncEngine | None = None
        self._make: async_sessionmaker[AsyncSession] | None = None

    async def start(self) -> None:
        """Open a first connection and return; a second call does nothing.

        Raises:
            StoreUnavailable: the database could not be reached.
        """
        if self._engine is not None:
            return
        engine = _engine(
            self._url,
            connection_settings(self._name, statement_timeout=STATEMENT_TIMEOUT),
            pool_size=POOL_SIZE_MAX,
            max_overflow=0,
            pool_pre_ping=True,
        )
        try:
            with unavailable():
                async with engine.connect():
                    pass
        except BaseException:
            await engine.dispose()
            raise
        self._engine = engine
        self._make = async_sessionmaker(engine, expire_on_commit=False)

    async def stop(self) -> None:
        """Close the connections; may come twice or without a start."""
        engine, self._engine, self._make = self._engine, None, None
        if engine is not None:
            await engine.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """One request, one transaction: committed at the end, undone on an error."""
        assert self._make is not None, "Sessions.start() has not been called"
        async with self._make() as session, session.begin():
            yield session


def connect_once(url: str, application_name: str) -> AsyncEngine:
    """An engine without a pool, for one piece of work; dispose of it afterwards."""
    return _engine(url, connection_settings(application_name), poolclass=NullPool)


def _engine(url: str, settings: dict[str, str], **options: Any) -> AsyncEngine:
    # asyncpg reads the URL itself: several hosts, unix sockets, target_session_attrs.
    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(
            url, timeout=CONNECT_TIMEOUT_S, server_settings=settings
        )

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        json_serializer=encode_json,
        json_deserializer=decode_json,
        **options,
    )
