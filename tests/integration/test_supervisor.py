"""The supervisor with real processes: alive, in order, exchanged, never orphaned.

The children are small programs that write what happens to them into one file.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops import supervisor as module
from ops.errors import SettingsError
from ops.supervisor import Supervisor, reserve

CHILD = """
import os, signal, sys, time
role, index, fd, path = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
def note(word):
    with open(path, "a") as file:
        file.write(f"{word} {role}{index} {os.getpid()}\\n")
def stop(*_):
    note("stop")
    sys.exit(0)
deaf = role == os.environ.get("DEAF")
signal.signal(signal.SIGTERM, signal.SIG_IGN if deaf else stop)
note("start")
if os.environ.get("BROKEN") == role and os.path.exists(path + ".broken"):
    sys.exit(1)
os.write(fd, b"1")
while True:
    signal.pause()
"""

PARENT = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from tests.integration.test_supervisor import make
from pathlib import Path
asyncio.run(make(Path(sys.argv[2])).run())
"""


def make(
    folder: Path,
    roles: dict[str, int] | None = None,
    on_ready: Callable[[], None] | None = None,
    **environ: str,
) -> Supervisor:
    def command(role: str, index: int, fd: int) -> list[str]:
        path = str(folder / "notes")
        return [sys.executable, "-c", CHILD, role, str(index), str(fd), path]

    return Supervisor(
        roles or {"api": 2, "live": 1, "sync": 1},
        command,
        {**os.environ, **environ},
        on_ready=on_ready,
    )


def notes(folder: Path) -> list[tuple[str, str, int]]:
    """What the children wrote: word, role with number, process id."""
    lines = (folder / "notes").read_text().splitlines()
    return [(w, r, int(p)) for w, r, p in (line.split() for line in lines)]


async def until(condition: Callable[[], bool]) -> None:
    """Return when it holds; the test's time limit bounds it."""
    while not condition():  # noqa: ASYNC110 - other processes tell, by a file
        await asyncio.sleep(0.01)


class Run:
    """A supervisor that runs beside the test, ready when entered."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.ready = asyncio.Event()
        self.it = make(folder, on_ready=self.ready.set, **options)  # type: ignore[arg-type]

    async def __aenter__(self) -> Supervisor:
        self.task = asyncio.create_task(self.it.run())
        await self.ready.wait()
        return self.it

    async def __aexit__(self, *_: object) -> None:
        if not self.task.done():
            self.it.stop()
        await self.task


async def test_stops_api_before_live_before_sync(tmp_path: Path) -> None:
    async with Run(tmp_path) as supervisor:
        assert sorted(supervisor.pids) == [
            ("api", 0),
            ("api", 1),
            ("live", 0),
            ("sync", 0),
        ]
    stops = [role for word, role, _ in notes(tmp_path) if word == "stop"]
    assert sorted(stops[:2]) == ["api0", "api1"]
    assert stops[2:] == ["live0", "sync0"]
    assert not supervisor.pids


async def test_a_killed_child_comes_back(tmp_path: Path) -> None:
    async with Run(tmp_path) as supervisor:
        before = supervisor.pids
        os.kill(before["api", 0], signal.SIGKILL)
        await until(
            lambda: (
                supervisor.pids.get(("api", 0), before["api", 0]) != before["api", 0]
            )
        )
        after = supervisor.pids
        assert {k: v for k, v in after.items() if k != ("api", 0)} == {
            k: v for k, v in before.items() if k != ("api", 0)
        }


async def _no_process_at_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[int]:
    """Start all roles on a machine that has no process to give three times; the
    numbers of the children in the end."""
    spawn, asked = asyncio.create_subprocess_exec, []
    monkeypatch.setattr(module, "BACKOFF_S_FIRST", 0.01)

    async def refused(*command: str, **options: object) -> object:
        asked.append(command)
        if len(asked) <= 3:
            raise BlockingIOError("Resource temporarily unavailable")
        return await spawn(*command, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("ops.supervisor.asyncio.create_subprocess_exec", refused)
    ready = asyncio.Event()
    it = make(folder, on_ready=ready.set)
    running = asyncio.create_task(it.run())
    # Ready, or all have been tried and nothing is left to come.
    await until(lambda: len(asked) >= 4)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            await ready.wait()
    pids = list(it.pids.values())
    it.stop()
    await running
    return pids


async def test_a_role_that_could_not_be_started_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(await _no_process_at_first(tmp_path, monkeypatch)) == 4


async def test_without_the_loop_it_stays_away_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""

    async def bare(step: Callable[[], Any], *_: object) -> bool:
        await step()
        return True

    monkeypatch.setattr(module, "safely", bare)
    monkeypatch.setattr(module, "for_ever", bare)
    assert len(await _no_process_at_first(tmp_path, monkeypatch)) == 1


async def test_sigterm_to_the_supervisor_is_a_clean_stop(tmp_path: Path) -> None:
    run = Run(tmp_path)
    async with run:
        os.kill(os.getpid(), signal.SIGTERM)
        await run.task
    assert [word for word, _, _ in notes(tmp_path)].count("stop") == 4


async def test_a_deaf_child_is_killed_in_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_S_MAX", 0.3)
    async with Run(tmp_path, DEAF="live") as supervisor:
        pids = supervisor.pids
    stops = [role for word, role, _ in notes(tmp_path) if word == "stop"]
    assert sorted(stops) == ["api0", "api1", "sync0"]
    with pytest.raises(ProcessLookupError):
        os.kill(pids["live", 0], 0)


async def test_the_second_stop_has_no_patience(tmp_path: Path) -> None:
    run = Run(tmp_path, DEAF="api")
    async with run as supervisor:
        supervisor.stop()
        supervisor.stop()
        async with asyncio.timeout(5):  # far under STOP_S_MAX for each role
            await run.task


async def test_rolling_starts_the_new_before_it_ends_the_old(tmp_path: Path) -> None:
    async with Run(tmp_path) as supervisor:
        before = supervisor.pids
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: len(notes(tmp_path)) == 12)
        after = supervisor.pids
        assert after.keys() == before.keys()
        assert not set(after.values()) & set(before.values())
    told = notes(tmp_path)
    for (role, index), pid in before.items():
        name = f"{role}{index}"
        assert told.index(("start", name, after[role, index])) < told.index(
            ("stop", name, pid)
        )


async def test_a_program_that_does_not_come_up_leaves_the_old_one(
    tmp_path: Path,
) -> None:
    async with Run(tmp_path, BROKEN="api") as supervisor:
        before = supervisor.pids
        (tmp_path / "notes.broken").touch()
        supervisor.roll()
        await until(lambda: len(notes(tmp_path)) == 5)  # one more start, of an api
        await until(lambda: not supervisor._tasks)  # the roll has given up
        assert supervisor.pids == before


def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    parent = subprocess.Popen([sys.executable, "-c", PARENT, root, tmp_path])
    try:
        while not (
            (tmp_path / "notes").exists() and len(notes(tmp_path)) == 4
        ):  # all have started
            select.select([], [], [], 0.01)
        watches = [os.pidfd_open(pid) for _, _, pid in notes(tmp_path)]
    finally:
        parent.kill()
        parent.wait()
    for watch in watches:
        ended, _, _ = select.select([watch], [], [], 10)
        assert ended, "a child outlived its supervisor"
        os.close(watch)


def test_a_taken_port_is_one_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingsError) as caught:
            reserve("127.0.0.1", port)
    assert str(caught.value).startswith(f"cannot listen on 127.0.0.1:{port}")
    assert "\n" not in str(caught.value)


def test_two_supervisors_do_not_share_a_port() -> None:
    with reserve("127.0.0.1", 0) as first:
        with pytest.raises(SettingsError):
            reserve("127.0.0.1", first.getsockname()[1])
        # A child of the first one can have the port.
        with socket.socket() as child:
            child.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            child.bind(first.getsockname())
