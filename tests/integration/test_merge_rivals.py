"""Two scans for one place at the merge: whose green was seen keeps it.

What the simulation found (docs/subsystems/simulation.md), on real stores.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ops.admission import journals, merge
from ops.crm_sync.journals import Sweeper
from ops.crm_sync.merging import Merger
from ops.crm_sync.modes import Modes
from ops.db.engine import Database
from tests.integration.conftest import NewHouse
from tests.journal_kit import (
    by_hand,
    conflicts,
    provisional,
    said,
    scan,
    take_away,
    unshown,
    written,
)


@pytest.mark.parametrize("state", ["shown", "answered"])
async def test_a_row_whose_green_was_shown_is_not(
    house: NewHouse, merger: Merger, database: Database, state: Any
) -> None:
    """A commit's line says `answered` before its process has looked for ours."""
    one, two = await house(), await house()
    take_away(one)
    mine = (await scan(one, "T-1")).ask.scan.id
    other = await by_hand(one, confirmed=False)
    (line,) = journals.read(one.journal.path)
    await two.journal.append(
        [msgspec.structs.replace(line, scan_id=other, state=state, mode="N")]
    )
    await written(one)
    await merger.turn()
    lost = [("merge", other, mine, 1)]
    took = [("superseded", mine, other, 0)]
    assert await conflicts(database) == (lost if state == "shown" else took)


@pytest.mark.parametrize("state", ["shown", "answered"])
async def test_a_commit_whose_process_died_before_its_look_is_told_of_once(
    house: NewHouse, merger: Merger, database: Database, state: Any
) -> None:
    """Its line is read after its row was taken over: nobody stands inside by it.

    Unless it says that the green was shown; then somebody does.
    """
    one, two = await house(), await house()
    take_away(one)
    mine = (await scan(one, "T-1")).ask.scan.id
    other = await by_hand(one, confirmed=False)
    await written(one)
    await merger.turn()
    took = ("superseded", mine, other, 0)
    assert await conflicts(database) == [took]
    (line,) = journals.read(one.journal.path)
    await two.journal.append(
        [msgspec.structs.replace(line, scan_id=other, state=state, mode="N")]
    )
    await two.stop()
    await merger.turn()
    lost = [("merge", mine, other, 1)] if state == "shown" else []
    assert await conflicts(database) == [took, *lost]


@pytest.mark.parametrize("weighed", [False, True])
async def test_a_row_that_comes_after_the_look_is_looked_for(
    house: NewHouse, merger: Merger, database: Database, weighed: bool
) -> None:
    """Simulated evening 21937: a late commit between the two calls of the merge.

    Weighed: the control; taken for known, it costs a green that was shown its row.
    """
    one = await house()
    take_away(one)
    mine = (await scan(one, "T-1")).ask.scan.id
    await written(one)
    execute, late = merger._execute, []

    async def between(path: Path, command: Any) -> Any:
        if isinstance(command, merge.Merge) and not late:
            late.append(await by_hand(one, confirmed=False))
            if weighed:
                command = msgspec.structs.replace(command, weighed=late)
        return await execute(path, command)

    merger._execute = between  # type: ignore[method-assign]
    await merger.turn()
    await merger.turn()
    took, lost = ("superseded", mine, late[0], 0), ("merge", late[0], mine, 1)
    assert await conflicts(database) == [lost if weighed else took]


@pytest.mark.parametrize("person", [2, 1])
async def test_a_row_confirmed_for_a_green_elsewhere_is_free(
    house: NewHouse, merger: Merger, database: Database, person: int
) -> None:
    """Simulated evening 22079: an unheard commit, and the same scan in by mode D.

    Of one person both mean the same place, and the row stays.
    """
    one, two = await house(), await house()
    take_away(one)
    mine = (await scan(one, "T-1")).ask.scan.id
    other = await by_hand(one, confirmed=True)
    (line,) = journals.read(one.journal.path)
    ((scope, _, pass_no, what),) = line.places
    places = ((scope, person, pass_no, what),)
    await two.journal.append(
        [msgspec.structs.replace(line, scan_id=other, places=places, state="shown")]
    )
    await written(one)
    await merger.turn()
    took, lost = ("superseded", mine, other, 0), ("merge", other, mine, 1)
    assert (await conflicts(database))[:1] == [took if person == 2 else lost]


async def test_a_claim_that_was_never_answered_is_free_again(
    house: NewHouse, merger: Merger, database: Database, tmp_path: Path
) -> None:
    """Its process died between claim and answer: no row, and the guest gets in."""
    one, two = await house(), await house()
    take_away(one)
    claimed = await scan(one, "T-1")
    (line,) = journals.read(one.journal.path)
    assert line.state != "pending", "known to be answered before it is"
    await written(one)
    await one.journal.append([msgspec.structs.replace(line, state="pending")])
    await unshown(one)
    await merger.turn()
    await one.stop()
    sweeper = Sweeper(database, tmp_path, merger.forget, merger.owes)
    assert await sweeper.sweep() == 0, "not read to its end"
    await merger.turn()
    assert await sweeper.sweep() == 0, "only the file knows of the claim"
    assert await provisional(two) == 1
    await Modes(database, two.cache, two.drain, steady_s=0.0).turn()
    assert said(await scan(two, "T-1", claimed.ask.scan.id)) == "unavailable"
    await merger.turn()
    assert (await provisional(two), await conflicts(database)) == (0, [])
    assert await sweeper.sweep() == 1
    again = await scan(two, "T-1", claimed.ask.scan.id)
    assert (said(again), again.durable) == ("admitted ok", "committed")
