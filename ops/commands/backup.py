"""`ops backup` and `ops restore`: the record, the journals, and what belongs to them.

A backup is one tar file: `database.dump` (pg_dump's custom format: every table, the
sealed signing keys among them), `journal/` (each file copied by SQLite, so a file that
is being written is whole), and `manifest.json` (schema, sums, the fingerprint of
OPS_SECRET_KEY). The secret key itself is never in it: without the same key the signing
keys of a restored database cannot be opened. Redis needs none: it is filled from what
is restored.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import sqlite3
import subprocess
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from redis.asyncio import Redis

from ops import __version__
from ops.admission.journals import SUFFIX
from ops.cache import keys
from ops.db.version import REVISIONS
from ops.dev.servers import program
from ops.errors import StoreError
from ops.settings import Settings

DUMP, MANIFEST, JOURNAL = "database.dump", "manifest.json", "journal"
FORMAT = 1
DUMP_S_MAX = 3_600
CHUNK = 1_048_576


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a backup; `sums` are sha256 by file."""

    format: int = FORMAT
    program: str
    revision: str
    made_at: datetime
    machine: str
    secret: str
    sums: dict[str, str]


def backup(settings: Settings, path: Path) -> Manifest:
    """Write a backup beside `path` and move it there when it is complete.

    The database is one snapshot; journals are copied after it, so a line is in one of
    them at least. Doors may go on meanwhile.

    Raises:
        StoreError: pg_dump failed; its last line is the message.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        folder = Path(name)
        _run("pg_dump", "-Fc", "-f", str(folder / DUMP), settings.database_url)
        _copy_journals(Path(settings.data_dir) / JOURNAL, folder / JOURNAL)
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        manifest = Manifest(
            program=__version__,
            revision=REVISIONS[-1],
            made_at=datetime.now(UTC),
            machine=socket.gethostname(),
            secret=fingerprint(settings.secret_key),
            sums={str(p.relative_to(folder)): _sum(p) for p in files},
        )
        (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
        whole = folder / "whole.tar"
        with tarfile.open(whole, "w") as tar:
            for file in (folder / MANIFEST, *files):
                tar.add(file, str(file.relative_to(folder)))
        with whole.open("rb") as written:
            os.fsync(written.fileno())
        whole.chmod(0o600)
        os.replace(whole, path)
    return manifest


async def restore(settings: Settings, path: Path, *, force: bool = False) -> Manifest:
    """Put a backup back; afterwards the cache is cold and fills from it.

    Raises:
        StoreError: the file is not whole, was made with another secret key or a newer
            schema, the database has tables already (`force` drops them), or
            pg_restore failed, which then has changed nothing.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = _unpack(path, folder)
        if manifest.revision not in REVISIONS:
            raise StoreError(f"the backup's schema {manifest.revision} is newer")
        if manifest.secret != fingerprint(settings.secret_key):
            raise StoreError("the backup was made with another OPS_SECRET_KEY")
        await _make_room(settings.database_url, force)
        _run(
            "pg_restore",
            *("--no-owner", "--exit-on-error", "--single-transaction"),
            *("-d", settings.database_url, str(folder / DUMP)),
        )
        place = Path(settings.data_dir) / JOURNAL
        place.mkdir(parents=True, exist_ok=True)
        for file in sorted((folder / JOURNAL).glob(f"*{SUFFIX}")):
            shutil.copy2(file, place / file.name)
    await _cool(settings)
    return manifest


def fingerprint(secret: str) -> str:
    """Says whether two secrets are the same, and nothing else."""
    return hashlib.sha256(b"ops backup " + secret.encode()).hexdigest()[:16]


def _copy_journals(place: Path, to: Path) -> None:
    to.mkdir()
    for path in sorted(place.glob(f"*{SUFFIX}")) if place.exists() else ():
        source = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        target = sqlite3.connect(to / path.name)
        try:
            source.backup(target)
        except sqlite3.DatabaseError:
            # A torn file is evidence: it is kept as it lies there.
            target.close()
            shutil.copy2(path, to / path.name)
        finally:
            source.close()
            target.close()


def _unpack(path: Path, folder: Path) -> Manifest:
    try:
        with tarfile.open(path) as tar:
            tar.extractall(folder, filter="data")
        text = (folder / MANIFEST).read_bytes()
        manifest = msgspec.json.decode(text, type=Manifest)
    except (OSError, tarfile.TarError, msgspec.MsgspecError) as error:
        raise StoreError(f"{path.name} is no backup: {error}") from None
    for name, wanted in manifest.sums.items():
        if not (folder / name).is_file() or _sum(folder / name) != wanted:
            raise StoreError(f"{path.name} is damaged: {name}")
    return manifest


async def _make_room(url: str, force: bool) -> None:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(url)
    try:
        tables = await connection.fetchval(
            "SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'ops')"
        )
        if tables and not force:
            raise StoreError(f"the database has {tables} tables already (see --force)")
        await connection.execute(
            "DROP SCHEMA IF EXISTS ops CASCADE; DROP SCHEMA public CASCADE;"
            " CREATE SCHEMA public"
        )
        for name in ("pg_trgm", "unaccent"):
            await connection.execute(f"DROP EXTENSION IF EXISTS {name} CASCADE")
    finally:
        await connection.close()


async def _cool(settings: Settings) -> None:
    """What the cache holds is of another time: it is filled from what is true now."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(settings.database_url)
    try:
        events = await connection.fetch("SELECT id FROM public.events")
    finally:
        await connection.close()
    async with Redis.from_url(settings.redis_url, protocol=2) as redis:
        for row in events:
            await redis.delete(keys.meta(row["id"]))


def _run(name: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(program(name)), *arguments],
        capture_output=True,
        check=False,
        text=True,
        timeout=DUMP_S_MAX,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise StoreError(f"{name} failed: {lines[-1] if lines else 'it said nothing'}")


def _sum(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()
