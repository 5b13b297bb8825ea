"""The demo as a user starts it: whole, twice, and while parts of it are killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from ops.dev.process import inhabitants
from ops.dev.servers import running_urls

pytestmark = pytest.mark.timeout(240)


class Demo:
    """A running `ops demo`, its address, and the processes of its roles."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder / "demo"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("OPS_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ops.cli", "demo", "--speed", "4", *options],
            env={
                **clean,
                "OPS_DATA_DIR": str(folder),
                "OPS_PORT": "0",
                "OPS_LIVE_PORT": "0",
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"(http://localhost:\d+)/control\.html\?event=(\S+)", said)
        assert found, said
        self.base_url, self.event_id = found[1], found[2]

    def pids(self, role: str) -> list[int]:
        """The processes of a role."""
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if not entry.name.isdigit():
                    continue
                words = (entry / "cmdline").read_bytes().split(b"\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == self.process.pid and role.encode() in words:
                    found.append(int(entry.name))
        return found

    def lines(self) -> int:
        """How many lines the handhelds have written."""
        logs = (self.folder / "crowd" / self.event_id).glob("*.jsonl")
        return sum(path.read_bytes().count(b"\n") for path in logs)

    def end(self) -> int:
        """Ctrl-C, and the exit status."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.stdout is not None
        self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait(60)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    running: list[Demo] = []

    def begin(*options: str) -> Demo:
        running.append(Demo(tmp_path, *options))
        return running[-1]

    yield begin
    for demo in running:
        if demo.process.poll() is None:
            demo.process.kill()
            demo.process.wait()


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.05)


def count(folder: Path) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "ops.cli", "demo", "--count"],
        env={**os.environ, "OPS_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    words = (line.split() for line in done.stdout.splitlines())
    return {pair[0]: int(pair[1]) for pair in words if len(pair) == 2}


def test_killed_roles_and_an_emptied_cache_lose_nothing(
    start: Callable[..., Demo], tmp_path: Path
) -> None:
    demo = start("--api", "2")
    with urllib.request.urlopen(f"{demo.base_url}/readyz", timeout=10) as answer:
        assert b'"mode":"normal"' in answer.read()
    until(lambda: demo.lines() > 200)

    victim = demo.pids("api")[0]
    os.kill(victim, signal.SIGKILL)
    before = demo.lines()
    until(lambda: demo.lines() > before + 300)

    urls = running_urls(demo.folder)
    assert urls is not None
    with redis.Redis.from_url(urls[1], protocol=2) as client:
        client.flushall()
    before = demo.lines()
    until(lambda: demo.lines() > before + 300)

    until(lambda: len(demo.pids("api")) == 2)
    assert victim not in demo.pids("api")
    assert demo.end() == 0
    assert not inhabitants(demo.folder / "postgres")
    assert not inhabitants(demo.folder / "valkey")

    counted = count(tmp_path)
    assert counted["admitted"] > 200
    assert counted["lost"] == counted["doubled"] == counted["crowded"] == 0

    # The second start goes on with the same evening and the same people.
    again = start()
    assert again.event_id == demo.event_id
    before = again.lines()
    until(lambda: again.lines() > before + 50)
    assert again.end() == 0
    counted = count(tmp_path)
    assert counted["lost"] == counted["doubled"] == counted["crowded"] == 0
    assert counted["unanswered"] <= 12  # one for each device, cut off by Ctrl-C


def test_a_killed_demo_leaves_nothing_behind(
    start: Callable[..., Demo], tmp_path: Path
) -> None:
    demo = start()
    children = [
        pid for role in ("crowd", "api", "live", "sync") for pid in demo.pids(role)
    ]
    assert len(children) == 4
    demo.process.kill()
    demo.process.wait()
    assert demo.process.stdout is not None
    demo.process.stdout.close()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
    until(lambda: not inhabitants(demo.folder / "postgres"))
    until(lambda: not inhabitants(demo.folder / "valkey"))
