"""`ops doctor`: is this machine fit to serve, and if not, what is wrong.

Each check is a function that returns a finding and never raises; one that cannot be
made says so. Nothing is changed.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import asyncpg
import redis.asyncio as redis
from cryptography import x509

from ops.db import migrate
from ops.errors import OpsError
from ops.pages_dir import find
from ops.settings import DEVELOPMENT_SECRET, Settings

State = Literal["good", "doubtful", "bad"]
TIMEOUT_S = 5.0
DISK_BYTES_MIN = 2_000_000_000
SKEW_S_MAX = 1.0
POSTGRES_MIN, POSTGRES_MAX = 150_000, 190_000
REDIS_MIN = (7, 0)
CERTIFICATE_DAYS_MIN = 14


class Finding(NamedTuple):
    """One line of the table."""

    subject: str
    state: State
    detail: str


Check = Callable[[Settings], Awaitable[Finding]]


async def run(settings: Settings) -> list[Finding]:
    """All findings, in the order of the checks."""
    return [await _guarded(check, settings) for check in CHECKS]


async def _guarded(check: Check, settings: Settings) -> Finding:
    subject = check.__name__.removeprefix("check_").replace("_", " ")
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await check(settings)
    except TimeoutError:
        return Finding(subject, "bad", f"no answer within {TIMEOUT_S:.0f} s")
    except (OSError, OpsError, asyncpg.PostgresError, redis.RedisError) as error:
        return Finding(subject, "bad", str(error).partition("\n")[0])


async def check_settings(settings: Settings) -> Finding:
    """Read and valid, or this would not run; the known secret is for play."""
    if settings.secret_key == DEVELOPMENT_SECRET:
        return Finding("settings", "doubtful", "OPS_SECRET_KEY is the known one")
    return Finding("settings", "good", settings.env)


async def check_disk(settings: Settings) -> Finding:
    """The journal needs room when PostgreSQL is away."""
    folder = settings.data_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    state: State = "good" if free > DISK_BYTES_MIN else "bad"
    return Finding("disk", state, f"{free / 1e9:.1f} GB free in {folder}")


async def check_postgresql(settings: Settings) -> Finding:
    """Reachable, of a version that we know, and durable."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        number = int(await connection.fetchval("SHOW server_version_num"))
        durable = [
            await connection.fetchval(f"SHOW {name}")
            for name in ("fsync", "synchronous_commit")
        ]
    finally:
        await connection.close()
    version = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if not POSTGRES_MIN <= number < POSTGRES_MAX:
        return Finding("postgresql", "doubtful", f"{version}: tested with 15 to 18")
    if durable[0] == "off" or durable[1] == "off":
        return Finding("postgresql", "bad", f"{version}: commits are not durable")
    return Finding("postgresql", "good", version)


async def check_schema(settings: Settings) -> Finding:
    """The migrations have run."""
    await migrate.check(settings.database_url)
    return Finding("schema", "good", "present")


async def check_redis(settings: Settings) -> Finding:
    """Reachable, of a version that we know, and never evicting."""
    async with redis.Redis.from_url(settings.redis_url, protocol=2) as client:
        info = await client.info("server")
        policy = (await client.config_get("maxmemory-policy"))["maxmemory-policy"]
    version = str(info.get("valkey_version") or info["redis_version"])
    name = f"{info.get('server_name', 'redis')} {version}"
    if tuple(map(int, version.split(".")[:2])) < REDIS_MIN:
        return Finding("redis", "bad", f"{name}: 7.0 or newer is needed")
    if policy != "noeviction":
        return Finding("redis", "bad", f"{name}: maxmemory-policy is {policy}")
    return Finding("redis", "good", name)


async def check_clock(settings: Settings) -> Finding:
    """This machine and the database tell the same time."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        before = time.time()
        theirs: datetime = await connection.fetchval("SELECT clock_timestamp()")
        after = time.time()
    finally:
        await connection.close()
    skew_s = theirs.timestamp() - (before + after) / 2
    state: State = "good" if abs(skew_s) < SKEW_S_MAX else "bad"
    return Finding("clock", state, f"{skew_s * 1000:+.0f} ms to PostgreSQL")


async def check_pages(_: Settings) -> Finding:
    """The pages are installed with the program."""
    return Finding("pages", "good", str(find().web))


async def check_certificate(settings: Settings) -> Finding:
    """Valid, and not about to end."""
    if not settings.tls_cert:
        detail = "none: cameras work on localhost or behind a proxy only"
        return Finding("certificate", "doubtful", detail)
    days = (_ends_at(settings.tls_cert) - datetime.now(UTC)).days
    state: State = "good" if days > CERTIFICATE_DAYS_MIN else "bad"
    return Finding("certificate", state, f"ends in {days} days")


def _ends_at(path: str) -> datetime:
    text = Path(path).read_bytes()
    return x509.load_pem_x509_certificate(text).not_valid_after_utc


CHECKS: tuple[Check, ...] = (
    check_settings,
    check_disk,
    check_postgresql,
    check_schema,
    check_redis,
    check_clock,
    check_pages,
    check_certificate,
)
