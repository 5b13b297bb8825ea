"""Whatever order lines are merged in, and whatever file they are in: no green is lost.

A guest goes out and comes back at doors of several processes; each keeps its own file.
In `PostgreSQL immediate stop` of the fault harness one of 649 such greens was lost.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ops.admission import journals, merge
from ops.admission.journal import Journal
from ops.admission.lines import Line
from ops.admission.scan import DoorDecision
from ops.crm_sync.merging import Merger
from tests.house import House
from tests.journal_kit import by_hand, said, scan, take_away, written

NewHouse = Callable[..., Awaitable[House]]
FILES = 3


@pytest.fixture
def house(house: NewHouse) -> NewHouse:
    """Make houses in mode D; later ones serve the event of the first."""

    async def make() -> House:
        one = await house()
        take_away(one)
        return one

    return make


async def merged(folder: Path, *houses: House) -> None:
    await written(*houses)
    merger = Merger(houses[0].database, houses[0].cache, folder)
    try:
        for _ in range(3):
            await merger.turn()
    finally:
        merger.stop()


async def visits(house: House) -> list[tuple[int, UUID, UUID | None]]:
    rows = await house.database.pool.fetch(
        "SELECT pass_no, scan_id, exit_scan_id FROM check_ins"
        " WHERE ticket_id = $1 ORDER BY pass_no",
        house.event.tickets["T-1"],
    )
    return [tuple(row) for row in rows]


async def conflicts(house: House) -> list[tuple[str, UUID | None, int]]:
    rows = await house.database.pool.fetch(
        "SELECT kind, loser_scan_id, people FROM ops.conflicts ORDER BY created_at"
    )
    return [tuple(row) for row in rows]


async def inside(house: House) -> tuple[int, int]:
    """People in the venue by its counter and by its open rows."""
    row = await house.database.pool.fetchrow(
        "SELECT inside, (SELECT count(*) FROM check_ins WHERE scope_id = s.id"
        " AND checked_out_at IS NULL) FROM ops.scopes s WHERE id = $1",
        house.event.venue_scope,
    )
    return row[0], row[1]


async def out_and_back(one: House, two: House) -> tuple[UUID, UUID, UUID]:
    """In and back at the first process, out at the second."""
    told = [
        await scan(one, "T-1"),
        await scan(two, "T-1", direction="out", device="other_device"),
        await scan(one, "T-1"),
    ]
    assert [said(item) for item in told] == ["admitted ok", "exited ok", "admitted ok"]
    return tuple(item.ask.scan.id for item in told)  # type: ignore[return-value]


async def test_who_came_back_is_not_lost_to_their_own_first_entry(
    house: NewHouse, tmp_path: Path
) -> None:
    """The first file has both entries, the exit between them is in the second."""
    one, two = await house(), await house()
    first, out, back = await out_and_back(one, two)
    await merged(tmp_path, one, two)
    assert await visits(one) == [(1, first, out), (2, back, None)]
    assert await conflicts(one) == []
    assert await inside(one) == (1, 1)


async def test_without_the_waves_they_are(
    house: NewHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: all lines of a file in one call."""
    monkeypatch.setattr(merge, "waves", lambda lines: [list(lines)])
    one, two = await house(), await house()
    first, _, back = await out_and_back(one, two)
    await merged(tmp_path, one, two)
    assert back not in [scan_id for _, scan_id, _ in await visits(one)]
    assert await conflicts(one) == [("merge", back, 1)]
    assert (await visits(one))[0][1] == first


@pytest.mark.parametrize("seed", range(12))
async def test_any_split_and_any_order_of_reading(
    house: NewHouse, tmp_path: Path, seed: int
) -> None:
    """Six passes in three files, which become readable line by line, in any order."""
    chance = random.Random(seed)
    one = await house()
    ids: list[UUID] = []
    for n in range(12):
        item = await scan(one, "T-1", direction="out" if n % 2 else "in")
        assert said(item) == ("exited ok" if n % 2 else "admitted ok")
        ids.append(item.ask.scan.id)
    await written(one)
    lines = journals.read(one.journal.path)
    assert len(lines) == 12
    folder = tmp_path / "split"
    files = [Journal(folder) for _ in range(FILES)]
    for file in files:
        await file.start()
    queues: list[list[Line]] = [[] for _ in files]
    for line in sorted(lines, key=lambda each: each.at_us):
        chance.choice(queues).append(line)
    merger = Merger(one.database, one.cache, folder)
    try:
        while any(queues):
            number = chance.choice([n for n, queue in enumerate(queues) if queue])
            taken = queues[number][: chance.randint(1, 4)]
            del queues[number][: len(taken)]
            await files[number].append(taken)
            await merger.turn()
        await merger.turn()
    finally:
        merger.stop()
        for file in files:
            await file.stop()
    passes = zip(range(1, 7), ids[::2], ids[1::2], strict=True)
    assert await visits(one) == [(n, in_, out) for n, in_, out in passes]
    assert await conflicts(one) == []
    assert await inside(one) == (0, 0)
    facts = await one.database.pool.fetch(
        "SELECT kind, count(*) AS n FROM ops.facts GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in facts] == [("admitted", 6), ("exited", 6)]


async def test_taken_over_then_out_and_back(house: NewHouse, tmp_path: Path) -> None:
    """A row that nobody can have seen is taken over; its exit and the return stand."""
    one, two = await house(), await house()
    first, out, back = await out_and_back(one, two)
    await by_hand(one, confirmed=False)
    await merged(tmp_path, one, two)
    assert await visits(one) == [(1, first, out), (2, back, None)]
    assert [kind for kind, _, _ in await conflicts(one)] == ["superseded"]
    assert await inside(one) == (1, 1)


async def test_a_green_whose_pass_is_anothers_gets_the_next_one(
    house: NewHouse, tmp_path: Path
) -> None:
    """Never dropped: a row of its own where nobody is inside, and a conflict."""
    one, two = await house(), await house()
    first, out, back = await out_and_back(one, two)
    last = await scan(one, "T-1", direction="out")
    other = await by_hand(one, confirmed=True, left=True)
    await merged(tmp_path, one, two)
    assert await visits(one) == [
        (1, other, None),
        (2, first, out),
        (3, back, last.ask.scan.id),
    ]
    assert await conflicts(one) == [("merge", first, 0), ("merge", back, 0)]
    assert await inside(one) == (0, 0)


def upload(verdict: str = "admitted") -> dict[str, Any]:
    at = datetime.now(UTC)
    return {"offline": True, "scanned_at": at, "door": DoorDecision(verdict, "ok", at)}  # type: ignore[arg-type]


async def test_an_upload_that_comes_twice_keeps_its_places(
    house: NewHouse, tmp_path: Path
) -> None:
    """Devices come back in mode D and send everything twice, to both processes."""
    one, two = await house(), await house()
    sent = upload()
    first = await scan(one, "T-1", **sent)
    scan_id = first.ask.scan.id
    await written(one)
    for process in (one, two, one):
        again = await scan(process, "T-1", scan_id, **sent)
        assert said(again) == "admitted ok"
    await merged(tmp_path, one, two)
    assert await visits(one) == [(1, scan_id, None)]
    door = await one.database.pool.fetchval(
        "SELECT door FROM ops.scan_log WHERE scan_id = $1", scan_id
    )
    assert door["verdict"] == "admitted"


async def test_a_door_that_let_in_a_copy_is_reported(
    house: NewHouse, tmp_path: Path
) -> None:
    """The device had let somebody in; mode D says no; the merge must tell of it."""
    one, two = await house(), await house()
    await scan(one, "T-1")
    sent = upload()
    copy = await scan(one, "T-1", device="other_device", **sent)
    assert copy.decision.verdict != "admitted"
    # And one that was answered live, too late for its device, which decided as well.
    late = await scan(two, "T-1", device="other_device")
    again = await scan(two, "T-1", late.ask.scan.id, device="other_device", **upload())
    assert said(again) == said(late)
    await merged(tmp_path, one, two)
    found = await conflicts(one)
    assert sorted(found) == sorted(
        [("double_entry", item.ask.scan.id, 1) for item in (copy, late)]
    )
    disputed = await one.database.pool.fetchval("SELECT sum(disputed) FROM ops.areas")
    assert disputed == 2
