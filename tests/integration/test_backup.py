"""A backup is made beside a running door, and a restored database is the same one."""

# The fixtures of other tests are arguments here.
# ruff: noqa: F811

from __future__ import annotations

import tarfile
from pathlib import Path

import asyncpg
import pytest

from ops.admission.journals import read
from ops.cache import keys
from ops.commands import backup as command
from ops.db.migrate import check
from ops.errors import StoreError
from ops.settings import Settings
from tests.integration.test_desk import door, event, scan  # noqa: F401
from tests.integration.test_sync import sync  # noqa: F401

TABLES = """
SELECT schemaname || '.' || tablename AS name FROM pg_tables
WHERE schemaname IN ('public', 'ops') ORDER BY 1
"""


async def contents(url: str) -> dict[str, str]:
    """Every table's rows as one hash."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "public"})
    try:
        names = [row["name"] for row in await connection.fetch(TABLES)]
        return {
            name: await connection.fetchval(
                f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
                f" FROM {name} t"
            )
            for name in names
        }
    finally:
        await connection.close()


def lay_journal(folder: Path) -> str:
    """The door of these tests keeps its journal in the folder itself: move a copy."""
    place = folder / "journal"
    place.mkdir(exist_ok=True)
    file = next(folder.glob("*.journal"))
    for suffix in ("", "-wal"):
        copied = Path(f"{file}{suffix}").read_bytes()
        (place / f"{file.name}{suffix}").write_bytes(copied)
    return file.name


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, redis_url=redis_url, data_dir=tmp_path)


async def test_what_is_restored_is_what_was_backed_up(
    settings,
    door,
    event,
    sync,
    empty_database_url,
    redis_url,
    tmp_path,
) -> None:
    await sync.warmer.check()
    for n in range(1, 8):
        await scan(door, event, f"T-{n}")
    await door.desk.stop()
    name = lay_journal(tmp_path)
    made = command.backup(settings, tmp_path / "safe" / "ops.tar")
    before = await contents(settings.database_url)
    assert before["public.check_ins"] != before["ops.outbox"]
    elsewhere = Settings(
        database_url=empty_database_url,
        redis_url=redis_url,
        data_dir=tmp_path / "elsewhere",
    )
    told = await command.restore(elsewhere, tmp_path / "safe" / "ops.tar")
    assert told == made
    assert await contents(empty_database_url) == before
    await check(empty_database_url)
    lines = read(tmp_path / "elsewhere" / "journal" / name)
    assert len(lines) == 7
    assert await sync.cache.redis.exists(keys.meta(event.id)) == 0, "the cache is cold"


async def test_a_restore_refuses_what_would_hurt(
    settings,
    door,
    event,
    empty_database_url,
    redis_url,
    tmp_path,
) -> None:
    path = tmp_path / "ops.tar"
    command.backup(settings, path)
    with pytest.raises(StoreError, match="tables already"):
        await command.restore(settings, path)
    other = Settings(
        database_url=empty_database_url,
        redis_url=redis_url,
        data_dir=tmp_path,
        secret_key="another secret key, long enough for anybody",
    )
    with pytest.raises(StoreError, match="OPS_SECRET_KEY"):
        await command.restore(other, path)
    whole = path.read_bytes()
    (tmp_path / "half.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match=r"half\.tar"):
        await command.restore(settings, tmp_path / "half.tar")
    middle = len(whole) // 2
    (tmp_path / "bent.tar").write_bytes(
        whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    )
    with pytest.raises(StoreError, match=r"damaged|no backup"):
        await command.restore(settings, tmp_path / "bent.tar")
    assert await contents(settings.database_url), "nothing was dropped"
    await command.restore(settings, path, force=True)
    await check(settings.database_url)


async def test_the_secret_is_not_in_the_backup(
    settings,
    door,
    event,
    tmp_path,
) -> None:
    path = tmp_path / "ops.tar"
    command.backup(settings, path)
    assert settings.secret_key.encode() not in path.read_bytes()
    with tarfile.open(path) as tar:
        assert "manifest.json" in tar.getnames()
