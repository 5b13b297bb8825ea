"""Looks for a person in every store: all tables, all keys of Redis, all files."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from ops.db.engine import Database

TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) AS tab FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('public', 'ops')
 WHERE c.relkind = 'r' ORDER BY 1
"""


async def in_tables(database: Database, needles: list[str]) -> dict[str, int]:
    """Rows of each table whose text, all columns together, holds one of the needles.

    Also without accents and case, as a search would store them.
    """
    pattern = "|".join(re.escape(needle) for needle in needles)
    found = {}
    for row in await database.pool.fetch(TABLES):
        count = await database.pool.fetchval(
            f"SELECT count(*) FROM {row['tab']} t"
            " WHERE t::text ~* $1 OR ops.fold(t::text) ~* ops.fold($1)",
            pattern,
        )
        if count:
            found[row["tab"]] = count
    return found


async def in_redis(redis: Redis, needles: list[str]) -> list[str]:
    """Keys that hold a needle, in their name or anywhere in their value."""
    wanted = [needle.encode() for needle in needles]
    found = []
    async for key in redis.scan_iter():
        text = repr_bytes(key) + repr_bytes(await _value(redis, key))
        if any(needle in text for needle in wanted):
            found.append(key.decode())
    return found


async def _value(redis: Redis, key: bytes) -> Any:
    kind = (await redis.type(key)).decode()
    match kind:
        case "hash":
            return await redis.hgetall(key)
        case "stream":
            return await redis.xrange(key)
        case "set":
            return list(await redis.smembers(key))
        case "zset":
            return await redis.zrange(key, 0, -1)
        case "list":
            return await redis.lrange(key, 0, -1)
    return await redis.get(key)


def repr_bytes(value: Any) -> bytes:
    """All bytes of a nested value, one after the other."""
    if isinstance(value, bytes):
        return value + b"\n"
    if isinstance(value, dict):
        return b"".join(repr_bytes(k) + repr_bytes(v) for k, v in value.items())
    if isinstance(value, (list, tuple, set)):
        return b"".join(repr_bytes(each) for each in value)
    return str(value).encode()


def in_files(folder: Path, needles: list[str]) -> list[str]:
    """Files below a folder that hold a needle."""
    wanted = [needle.encode() for needle in needles]
    return [
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and any(needle in file.read_bytes() for needle in wanted)
    ]


async def until(check: Any, what: str, timeout_s: float = 20.0) -> Any:
    """Wait until an awaited check is true; it is asked again, nothing is guessed."""
    async with asyncio.timeout(timeout_s):
        while True:
            value = await check()
            if value:
                return value
            await asyncio.sleep(0.05)
    raise AssertionError(what)
