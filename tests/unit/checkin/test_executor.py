"""States of lines wait for a journal that cannot be written, but not without end."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ops.admission import journals
from ops.admission.journal import Journal
from ops.admission.lines import Line
from ops.checkin import executor
from ops.checkin.executor import Executor
from ops.ids import uuid7


async def test_the_newest_states_are_kept_while_the_disk_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each green of mode N leaves one: those of a whole evening were carried along."""
    monkeypatch.setattr(executor, "MARKS_KEPT_MAX", 3)
    journal = Journal(tmp_path)
    await journal.start()
    database: Any = journal._database
    nothing: Any = None  # no store is asked
    desk = Executor(UUID(int=1), nothing, nothing, journal)
    scans = [uuid7() for _ in range(5)]
    await journal.append(
        [Line(one, UUID(int=1), None, 7, b"", 1, "answered", ()) for one in scans]
    )
    database.execute("PRAGMA query_only = ON")
    for one in scans:
        desk.marks.append((one, "shown"))
        await desk.write_marks()
    assert desk.marks == [(one, "shown") for one in scans[2:]]
    database.execute("PRAGMA query_only = OFF")
    await desk.write_marks()
    assert desk.marks == []
    shown = {one.scan_id for one in journals.read(journal.path) if one.state == "shown"}
    assert shown == set(scans[2:])
    await journal.stop()
