"""One process of a machine at a time has a scan id in hand."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from ops.admission import turns
from ops.admission.turns import Turns
from ops.ids import uuid7


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Turns, Turns]]:
    made = Turns(tmp_path), Turns(tmp_path)
    yield made
    for one in made:
        one.stop()


async def test_one_takes_it_and_the_other_waits(two: tuple[Turns, Turns]) -> None:
    one, other = two
    scan, another = uuid7(), uuid7()
    assert await one.take(scan)
    assert await other.take(another), "every id has a turn of its own"
    waiting = asyncio.create_task(other.take(scan))
    await asyncio.sleep(0)
    assert not waiting.done()
    one.give([scan])
    assert await waiting
    other.give([scan, another])
    assert await one.take(scan)


async def test_nobody_waits_for_ever(
    two: tuple[Turns, Turns], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WAIT_S", 0.02)
    one, other = two
    scan = uuid7()
    assert await one.take(scan)
    assert not await other.take(scan)
    other.give([scan])  # it was never its own
    assert not await other.take(scan)


async def test_who_ends_gives_all_back(two: tuple[Turns, Turns]) -> None:
    one, other = two
    scans = [uuid7() for _ in range(40)]
    for scan in scans:
        assert await one.take(scan)
    one.stop()
    for scan in scans:
        assert await other.take(scan)


HOLD = """
import asyncio, pathlib, sys, uuid
from ops.admission.turns import Turns
turns = Turns(pathlib.Path(sys.argv[1]))
assert asyncio.run(turns.take(uuid.UUID(sys.argv[2])))
print("mine", flush=True)
sys.stdin.read()
"""


def holder(folder: Path, scan: UUID) -> subprocess.Popen[bytes]:
    """Another process that has the turn of a scan, as soon as it says so."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), str(scan)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


async def test_so_does_who_is_killed(
    tmp_path: Path, two: tuple[Turns, Turns], monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = uuid7()
    process = holder(tmp_path, scan)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"mine\n"
        monkeypatch.setattr(turns, "WAIT_S", 0.02)
        assert not await two[0].take(scan)
    finally:
        process.kill()
        process.communicate()
    monkeypatch.setattr(turns, "WAIT_S", 30.0)
    assert await two[0].take(scan)


async def test_a_folder_that_cannot_be_made_stops_nobody(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    one = Turns(file)
    assert await one.take(uuid7())
    one.give([uuid7()])
    one.stop()
