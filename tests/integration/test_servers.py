"""The embedded stores: they come up, keep their data, and never outlive their parent.

Each test has a data folder of its own and real servers.
"""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from ops.dev.process import inhabitants
from ops.dev.servers import Embedded, EmbeddedPostgres, EmbeddedValkey, running_urls
from ops.errors import StoreError

PARENT = """
import sys, time
from ops.dev.servers import Embedded
stores = Embedded(sys.argv[1])
stores.start()
print(stores.postgres.pid, stores.valkey.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Embedded]:
    embedded = Embedded(tmp_path, fast=True)
    yield embedded
    embedded.stop()


def valkey(path: Path, *words: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(" ".join(words).encode() + b"\r\n")
        return client.recv(4096)


def postgres(url: str, sql: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(ask())


def wait_for_end(data_dir: Path) -> None:
    """Return when no server works in the folder any more."""
    while inhabitants(data_dir / "postgres") or inhabitants(data_dir / "valkey"):
        time.sleep(0.01)


def test_data_survives_a_clean_stop(stores: Embedded) -> None:
    stores.start()
    stores.start()  # a second call does nothing
    postgres(stores.postgres.url, "CREATE TABLE kept AS SELECT 42 AS answer")
    valkey(stores.valkey.socket_path, "SET", "kept", "yes")
    stores.stop()
    stores.stop()
    stores.start()
    assert postgres(stores.postgres.url, "SELECT answer FROM kept") == 42
    assert valkey(stores.valkey.socket_path, "GET", "kept") == b"$3\r\nyes\r\n"


def test_settings_are_the_promised_ones(tmp_path: Path) -> None:
    stores = Embedded(tmp_path)
    stores.start()
    try:
        for name, value in (
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            ("listen_addresses", ""),
            ("jit", "off"),
            ("timezone", "UTC"),
        ):
            assert postgres(stores.postgres.url, f"SHOW {name}") == value
        lower = postgres(stores.postgres.url, "SELECT lower('ŁÉ')")
        assert lower == "łé"  # Unicode without the machine's locales
        for name, wanted in (
            ("appendonly", b"yes"),
            ("appendfsync", b"everysec"),
            ("maxmemory-policy", b"noeviction"),
            ("port", b"0"),
        ):
            answer = valkey(stores.valkey.socket_path, "CONFIG", "GET", name)
            assert answer.split(b"\r\n")[-2] == wanted
    finally:
        stores.stop()


def test_a_killed_parent_leaves_no_orphan_and_no_loss(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2
    watches = [os.pidfd_open(pid) for pid in pids]
    urls = running_urls(tmp_path)
    assert urls is not None
    postgres(urls[0], "CREATE TABLE kept AS SELECT 42 AS answer")
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for watch in watches:
        ended, _, _ = select.select([watch], [], [], 15)
        assert ended, "a server outlived its parent"
        os.close(watch)
    wait_for_end(tmp_path)
    assert running_urls(tmp_path) is None

    again = EmbeddedPostgres(tmp_path)
    again.start()
    try:
        assert postgres(again.url, "SELECT answer FROM kept") == 42
    finally:
        again.stop()


def test_a_start_right_after_the_kill_waits_for_the_old_servers(
    tmp_path: Path,
) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    parent.stdout.readline()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    stores = Embedded(tmp_path)
    stores.start()
    try:
        assert postgres(stores.postgres.url, "SELECT 1") == 1
    finally:
        stores.stop()


def test_a_killed_postgres_recovers(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    server.start()
    try:
        postgres(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        while server.alive:
            time.sleep(0.01)
        server.start()
        assert postgres(server.url, "SELECT answer FROM kept") == 42
    finally:
        server.stop()


def test_a_second_start_of_the_same_folder_says_so(stores: Embedded) -> None:
    stores.start()
    folder = stores.postgres.data_dir
    for other in (EmbeddedPostgres(folder), EmbeddedValkey(folder)):
        with pytest.raises(StoreError) as caught:
            other.start()
        assert str(caught.value).startswith("another process runs the embedded")
        assert "\n" not in str(caught.value)
    assert stores.postgres.alive  # the refused ones touched nothing
    assert stores.valkey.alive


def test_stale_files_of_a_dead_machine_do_not_matter(stores: Embedded) -> None:
    stores.start()
    socket_dir = stores.postgres.socket_dir
    stores.stop()
    # After a power cut the ids in the files may belong to any process: to us, say.
    (stores.postgres.dir / "postmaster.pid").write_text(f"{os.getpid()}\n")
    (socket_dir / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    (socket_dir / ".s.PGSQL.5432").write_text("")
    (socket_dir / "valkey.sock").write_text("")
    assert running_urls(stores.postgres.data_dir) is None
    stores.start()
    assert postgres(stores.postgres.url, "SELECT 1") == 1


def test_a_long_path_puts_the_sockets_elsewhere(tmp_path: Path) -> None:
    long = tmp_path / ("long" * 20) / ("longer" * 20)
    stores = Embedded(long, fast=True)
    stores.start()
    near = stores.postgres.socket_dir
    try:
        assert long not in near.parents
        assert running_urls(long) == (stores.postgres.url, stores.valkey.url)
        assert postgres(stores.postgres.url, "SELECT 1") == 1
    finally:
        stores.stop()
    assert not near.exists()


def test_an_interrupted_first_start_begins_afresh(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "half").write_text("written")
    server = EmbeddedPostgres(tmp_path, fast=True)
    server.start()
    server.stop()
    assert not (tmp_path / "postgres.new").exists()


def test_a_folder_of_another_major_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("13\n")
    with pytest.raises(StoreError) as caught:
        EmbeddedPostgres(tmp_path).start()
    assert "belongs to PostgreSQL 13" in str(caught.value)


def test_without_user_namespaces_it_runs_as_another_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Only root needs either way; for anybody else both are the plain start.
    folder = Path(tempfile.mkdtemp(prefix="ops-test-"))
    try:
        folder.chmod(0o755)
        forbidden = folder / "bin" / "unshare"
        forbidden.parent.mkdir()
        forbidden.write_text("#!/bin/sh\nexit 1\n")
        forbidden.chmod(0o755)
        monkeypatch.setenv("PATH", f"{forbidden.parent}:{os.environ['PATH']}")
        server = EmbeddedPostgres(folder / "data", fast=True)
        try:
            server.start()
        except StoreError as error:
            # The program itself lies where only root may go: then it says so.
            assert "cannot reach" in str(error)  # noqa: PT017
        else:
            assert server.pid is not None
            owner = Path(f"/proc/{server.pid}").stat().st_uid
            assert owner == (65534 if os.geteuid() == 0 else os.geteuid())
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
