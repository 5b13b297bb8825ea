"""The journal: lines survive the death of their process; its lock tells who lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from ops.admission import journal, journals
from ops.admission.commit import LogRow
from ops.admission.journal import Journal
from ops.admission.lines import Line, State
from ops.admission.scan import DoorDecision
from ops.ids import uuid7

EVENT, TICKET = UUID(int=1), UUID(int=2)


def line(scan_id: UUID, at_us: int = 1_000) -> Line:
    places = ((1, 1, 1, 1), (2, 1, 3, 0))
    return Line(scan_id, EVENT, TICKET, 7, b"content", at_us, "answered", places)


@pytest.fixture
async def own(tmp_path: Path):
    own = Journal(tmp_path)
    await own.start()
    yield own
    await own.stop()


async def test_lines_come_back_while_their_owner_writes(own: Journal) -> None:
    lines = [line(uuid7()) for _ in range(3)]
    await own.append(lines[:2])
    await own.append(lines[2:])
    assert sorted(journals.read(own.path), key=lambda one: one.scan_id) == lines


async def test_a_repeated_line_replaces_itself(own: Journal) -> None:
    """A green that is repeated after an unknown outcome is one green."""
    scan_id = uuid7()
    await own.append([line(scan_id, 1_000)])
    await own.append([line(scan_id, 2_000)])
    assert [one.at_us for one in journals.read(own.path)] == [2_000]


async def test_a_batch_is_written_whole_or_not_at_all(own: Journal) -> None:
    broken = Line(uuid7(), EVENT, TICKET, 7, None, 1, "answered", ())  # type: ignore[arg-type]
    with pytest.raises(Exception, match="NOT NULL"):
        await own.append([line(uuid7()), broken])
    assert journals.read(own.path) == []
    await own.append([line(uuid7())])
    assert len(journals.read(own.path)) == 1


async def test_a_living_owner_is_no_orphan(own: Journal, tmp_path: Path) -> None:
    assert journals.orphans(tmp_path) == []
    await own.stop()
    assert journals.orphans(tmp_path) == [own.path]


async def test_stopping_twice_is_harmless(own: Journal) -> None:
    await own.stop()
    await own.stop()


async def test_removed_with_all_that_sqlite_keeps(own: Journal, tmp_path: Path) -> None:
    await own.append([line(uuid7())])
    await own.stop()
    journals.remove(own.path)
    assert os.listdir(tmp_path) == []
    journals.remove(own.path)


async def test_every_process_writes_a_file_of_its_own(tmp_path: Path) -> None:
    several = [Journal(tmp_path) for _ in range(4)]
    for one in several:
        await one.start()
        await one.append([line(uuid7())])
    assert len({one.path for one in several}) == 4
    for one in several:
        await one.stop()
    assert len(journals.orphans(tmp_path)) == 4


WRITER = """
import asyncio, sys
from pathlib import Path
from typing import Any
from uuid import UUID
from ops.admission.journal import Journal
from ops.admission.lines import Line
from ops.ids import uuid7

async def main():
    journal = Journal(Path(sys.argv[1]))
    await journal.start()
    while True:
        scan, ticket = uuid7(), UUID(int=2)
        await journal.append([
            Line(scan, UUID(int=1), ticket, 7, b"c", 1, "answered", ((1, 1, 1, 1),))
        ])
        print(scan, flush=True)

asyncio.run(main())
"""


def test_what_was_told_survives_kill_9(tmp_path: Path) -> None:
    """Each line is told (printed) only after it was written, as a green is."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as writer:
        assert writer.stdout is not None
        told = [UUID(writer.stdout.readline().strip()) for _ in range(50)]
        assert journals.orphans(tmp_path) == [], "its owner lives"
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().split("\n")[:-1]
    told += [UUID(text) for text in rest]
    (path,) = journals.orphans(tmp_path)
    kept = {one.scan_id for one in journals.read(path)}
    assert set(told) <= kept
    assert len(kept) <= len(told) + 1, "at most the line that was not told yet"


def log(verdict: str, door: DoorDecision | None = None) -> bytes:
    row = LogRow(
        None, uuid7(), "00", verdict, "ok", {}, TICKET, None, None, TICKET, None, "in",
        "qr_code", 1, 1, "", "", None, door is not None, door,
    )  # fmt: skip
    return msgspec.json.encode(row)


DOOR = DoorDecision("admitted", "ok", datetime(2026, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize("state", ["answered", "shown"])
async def test_an_answer_without_places_never_replaces_a_green(
    own: Journal, state: State
) -> None:
    """Uploads of mode D were lost so: what the device showed went over their places."""
    green = msgspec.structs.replace(line(uuid7()), state=state, log=log("admitted"))
    empty = msgspec.structs.replace(
        green, state="answered", places=(), log=log("admitted", DOOR)
    )
    await own.append([green])
    await own.append([empty])
    (kept,) = journals.read(own.path)
    assert (kept.state, kept.places) == (state, green.places)
    row = kept.row()
    assert row is not None
    assert row.door == DOOR
    assert row.off
    await own.append([msgspec.structs.replace(empty, log=log("admitted"))])
    assert journals.read(own.path) == [kept]


async def test_its_owner_may_cancel_it_and_what_is_pending_is_no_green(
    own: Journal,
) -> None:
    green, waiting = (
        msgspec.structs.replace(line(uuid7()), log=log("admitted")) for _ in range(2)
    )
    waiting = msgspec.structs.replace(waiting, state="pending")
    await own.append([green, waiting])
    taken = [
        msgspec.structs.replace(green, state="cancelled", places=()),
        msgspec.structs.replace(waiting, state="answered", places=()),
    ]
    await own.append(taken)
    assert journals.read(own.path) == taken


async def test_a_folder_that_cannot_be_written_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process serves without it; a file stands in the folder's way here."""
    monkeypatch.setattr(journal, "OPEN_AGAIN_S", 0.0)
    folder = tmp_path / "journal"
    folder.write_bytes(b"")
    own = Journal(folder)
    await own.start()
    try:
        with pytest.raises(OSError):
            await own.append([line(uuid7())], synced=True)
        folder.unlink()
        kept = line(uuid7())
        await own.append([kept], synced=True)
        assert journals.read(own.path) == [kept]
        assert not journals.orphaned(own.path)
    finally:
        await own.stop()


async def test_a_disk_that_does_not_answer_is_waited_for_no_longer(
    own: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for a line that nobody needs on the disk: a door stands behind it."""
    own.late_s = 0.1
    answers, write = threading.Event(), own._write

    def stalls(*args: Any) -> None:
        answers.wait(30)
        write(*args)

    monkeypatch.setattr(own, "_write", stalls)
    kept = line(uuid7())
    try:
        with pytest.raises(TimeoutError):
            await own.append([kept])
    finally:
        answers.set()
    await own.append([])
    assert journals.read(own.path) == [kept], "whether it is written was unknown"
