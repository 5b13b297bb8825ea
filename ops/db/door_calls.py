"""The two calls of PostgreSQL that a scan waits for, and their rehearsal.

A connection plans them when they first run on it: 20 ms of CPU for the commit, ten
times of what it takes afterwards. Where many want the cores that is longer than a door
waits (`ops.checkin.stores.TRIES_S`), and a connection that was given up is followed by
one that knows nothing again: so plans are made when it is opened, before anybody waits.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

READ = "SELECT ops.read_facts_v1($1, $2, $3)"
COMMIT = "SELECT ops.commit_scans_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
REHEARSAL_S = 5.0

_NOBODY = UUID(int=0)
_THEN = datetime(2026, 1, 1, tzinfo=UTC)
_ID = f'"{_NOBODY}"'
_SCANS = f'[{{"i":0,"s":{_ID},"h":"00","sc":[{_ID}]}}]'
_ITEMS = (
    f'[{{"i":0,"s":{_ID},"k":{_ID},"v":0,"d":{_ID},"g":{_ID},"gn":"","me":"qr_code",'
    '"no":1,"mu":1}]'
)
_NEEDS = f'[{{"i":1,"c":{_ID},"n":1}}]'
_OPENS = f'[{{"i":0,"id":{_ID},"sc":{_ID},"n":1,"p":1,"ed":"2026-01-01"}}]'
_CLOSES = f'[{{"i":0,"sc":{_ID},"n":1,"must":true,"as":false}}]'
_LOGS = f'[{{"i":0,"s":{_ID},"ve":"admitted"}}]'


async def rehearse(connection: Any) -> None:
    """Let a new connection make its plans, by a scan of nobody at no event.

    Nothing is written: no ticket has this id, so the scan is lost and its line is left
    away. A database that has no such functions yet is nobody's door.

    Raises:
        TimeoutError: no answer within `REHEARSAL_S`; the connection is thrown away.
    """
    none: list[UUID] = []
    lost = ("N", _THEN, _ITEMS, _NEEDS, _OPENS, _CLOSES, _LOGS, none)
    try:
        async with asyncio.timeout(REHEARSAL_S):
            await connection.fetchval(READ, _NOBODY, [_NOBODY], _SCANS)
            await connection.fetchval(COMMIT, _NOBODY, 0, *lost)
    except asyncpg.PostgresError:
        pass
    except BaseException:
        connection.terminate()  # to close it would wait for a server that is stopped
        raise
