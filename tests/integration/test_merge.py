"""What mode D decided comes into the record: once, conflicts reported, back to N."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Collection
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from ops.admission import journals
from ops.cache import keys
from ops.cache.client import Cache
from ops.crm_sync.drain import Drain
from ops.crm_sync.journals import Sweeper
from ops.crm_sync.merging import Merger
from ops.crm_sync.modes import Modes
from ops.db.engine import POOL_SIZE_MAX, Database
from ops.ids import uuid7
from tests.integration.conftest import NewHouse
from tests.journal_kit import (
    by_hand,
    conflicts,
    give_back,
    provisional,
    said,
    scan,
    take_away,
    unshown,
    written,
)


async def test_an_evening_in_mode_d_comes_into_the_record(
    house: NewHouse, merger: Merger, database: Database
) -> None:
    one = await house()
    before = await scan(one, "T-2")
    take_away(one)
    green = await scan(one, "T-1")
    await scan(one, "G-1", admit=3)
    out = await scan(one, "G-1", direction="out", admit=3)
    await scan(one, "G-1", admit=1)
    left = await scan(one, "T-2", direction="out")
    refused = await scan(one, "nobody knows this")
    assert (said(out), said(left)) == ("exited ok", "exited ok")
    await written(one)
    shown = await one.counters()
    assert await merger.turn() == 6
    assert await merger.turn() == 0, "everything may come twice"
    while await one.drain.turn():
        pass
    rows = await database.pool.fetch("SELECT * FROM check_ins ORDER BY checked_in_at")
    assert len(rows) == 1 + 1 + 3 + 1
    assert sum(row["checked_out_at"] is None for row in rows) == 2
    mine = next(row for row in rows if row["scan_id"] == green.ask.scan.id)
    assert (mine["mode"], mine["confirmed_at"] is not None) == ("D", True)
    ended = next(row for row in rows if row["scan_id"] == before.ask.scan.id)
    assert ended["exit_scan_id"] == left.ask.scan.id
    logged = await database.pool.fetchrow(
        "SELECT * FROM ops.scan_log WHERE scan_id = $1", refused.ask.scan.id
    )
    assert (logged["reason"], logged["mode"]) == ("unknown_code", "D")
    assert await provisional(one) == 0
    assert await one.counted() == await one.counters() == shown
    assert await conflicts(database) == []
    facts = await database.pool.fetch(
        "SELECT payload->>'scan_id' AS s, count(*) FROM ops.facts"
        " WHERE kind = 'admitted' GROUP BY 1, payload->>'person_no' HAVING count(*) > 1"
    )
    assert facts == []


async def test_an_answer_given_in_mode_d_is_kept(
    house: NewHouse, merger: Merger, database: Database
) -> None:
    one, question = await house(), uuid7()
    await database.pool.execute(
        "INSERT INTO ops.questions (id, event_id, kind) VALUES ($1, $2, 'yes_no')",
        question,
        one.event.id,
    )
    assert await one.rewarm()
    assert said(await scan(one, "T-2")) == "hold needs_answers"
    take_away(one)
    answers = {str(question): True}
    green = await scan(one, "T-1", answers=answers)
    assert said(green) == "admitted ok"
    await written(one)
    assert await merger.turn() >= 1
    kept = await database.pool.fetch("SELECT * FROM ops.answers")
    assert [(row["scan_id"], row["question_id"]) for row in kept] == [
        (green.ask.scan.id, question)
    ]


async def test_the_event_goes_back_to_normal(
    house: NewHouse, merger: Merger, database: Database, cache: Cache
) -> None:
    one = await house()
    take_away(one)
    await scan(one, "T-1")
    modes = Modes(database, cache, one.drain, steady_s=0.0)
    await database.pool.execute("INSERT INTO ops.machines (name) VALUES ('another')")
    await written(one)
    await merger.turn()
    assert await modes.turn() == 0, "another machine has not merged"
    await database.pool.execute(
        "UPDATE ops.machines SET retired_at = now() WHERE name = 'another'"
    )
    assert await modes.turn() == 1
    give_back(one)
    item = await scan(one, "T-2")
    assert (said(item), item.durable) == ("admitted ok", "committed")
    assert said(await scan(one, "T-1", device="other_device")) == (
        "refused already_inside"
    )


async def test_a_broken_file_that_was_taken_away_holds_nothing_back(
    house: NewHouse, merger: Merger, database: Database, cache: Cache, tmp_path: Path
) -> None:
    one = await house()
    take_away(one)
    await scan(one, "T-1")
    await written(one)
    modes = Modes(database, cache, one.drain, steady_s=0.0)
    broken = tmp_path / f"{uuid7()}{journals.SUFFIX}"
    broken.write_bytes(b"not what it seems" * 1_000)
    await merger.turn()
    assert await modes.turn() == 0, "nobody knows what was in it"
    journals.remove(broken)
    await merger.turn()
    assert await modes.turn() == 1


async def test_a_mark_that_is_not_merged_is_not_asked_for_in_postgresql(
    house: NewHouse, database: Database, cache: Cache
) -> None:
    """R2: the mode went back, the last line is still on its way."""
    one = await house()
    take_away(one)
    green = await scan(one, "T-1")
    await database.pool.execute("UPDATE ops.machines SET retired_at = now()")
    assert await Modes(database, cache, one.drain, steady_s=0.0).turn() == 1
    give_back(one)
    again = await scan(one, "T-1", device="other_device")
    assert said(again) in ("refused already_inside", "hold unconfirmed")
    assert said(await scan(one, "T-1", direction="out")) == "unavailable"
    replay = await scan(one, "T-1", green.ask.scan.id)
    assert said(replay) == "admitted ok"
    assert not await database.pool.fetchval("SELECT count(*) FROM check_ins")


async def test_without_the_mark_the_copy_gets_in(
    house: NewHouse, database: Database, cache: Cache
) -> None:
    """The negative control of the one above."""
    one = await house()
    take_away(one)
    await scan(one, "T-1")
    await cache.redis.delete(keys.visits(one.event.id))
    await database.pool.execute("UPDATE ops.machines SET retired_at = now()")
    await Modes(database, cache, one.drain, steady_s=0.0).turn()
    give_back(one)
    assert said(await scan(one, "T-1", device="other_device")) == "admitted ok"


async def test_a_confirmed_row_stays_and_the_line_is_reported(
    house: NewHouse, merger: Merger, database: Database
) -> None:
    """Two machines that could not see each other: one more entry than was possible."""
    one = await house()
    take_away(one)
    loser = (await scan(one, "T-1")).ask.scan.id
    winner = await by_hand(one, confirmed=True)
    await written(one)
    await merger.turn()
    assert await conflicts(database) == [("merge", winner, loser, 1)]
    assert await database.pool.fetchval("SELECT scan_id FROM check_ins") == winner
    assert await database.pool.fetchval("SELECT sum(disputed) FROM ops.areas") == 1
    await database.pool.execute("UPDATE ops.machines SET retired_at = now()")
    await Modes(database, one.cache, one.drain, steady_s=0.0).turn()
    await merger.turn()
    assert await provisional(one) == 0, "the cache shows the winner"
    give_back(one)
    replay = await scan(one, "T-1", loser)
    assert replay.stored is not None
    assert replay.stored.superseded_by == winner, "never green again (R9)"


async def test_a_row_that_nobody_can_have_seen_is_taken_over(
    house: NewHouse, merger: Merger, database: Database
) -> None:
    """R4: committed by a process that died before it answered, then in by mode D."""
    one = await house()
    take_away(one)
    mine = (await scan(one, "T-1")).ask.scan.id
    other = await by_hand(one, confirmed=False)
    await written(one)
    await merger.turn()
    assert await conflicts(database) == [("superseded", mine, other, 0)]
    rows = await database.pool.fetch("SELECT scan_id, confirmed_at FROM check_ins")
    assert [row["scan_id"] for row in rows] == [mine]


async def test_a_line_that_the_database_refuses_stops_no_other(
    house: NewHouse, merger: Merger, database: Database
) -> None:
    one = await house()
    take_away(one)
    bad = await scan(one, "T-1")
    await scan(one, "T-2")
    await written(one)
    (line, _) = journals.read(one.journal.path)
    assert line.scan_id == bad.ask.scan.id
    await one.journal.append(
        [msgspec.structs.replace(line, log=line.log.replace(b'"qr_code"', b'"smoke"'))]
    )
    await merger.turn()
    assert [c[::2] for c in await conflicts(database)] == [
        ("merge_failed", bad.ask.scan.id)
    ]
    assert await database.pool.fetchval("SELECT count(*) FROM check_ins") == 1


async def test_files_go_when_they_have_nothing_to_add(
    house: NewHouse, merger: Merger, database: Database, tmp_path: Path
) -> None:
    one = await house()
    take_away(one)
    await scan(one, "T-1")
    await written(one)
    await one.stop()
    sweeper = Sweeper(database, tmp_path, merger.forget)
    assert await sweeper.sweep() == 0, "not merged"
    await merger.turn()
    await database.pool.execute("UPDATE check_ins SET confirmed_at = NULL")
    assert await sweeper.sweep() == 0, "its line protects the admission"
    await database.pool.execute("UPDATE events SET ends_at = now()")
    assert await sweeper.sweep() == 1


async def test_a_lost_cache_is_filled_with_the_journals(
    house: NewHouse, merger: Merger, database: Database
) -> None:
    """R6: FLUSHALL in mode D, PostgreSQL back: the greens of the journal are inside."""
    one = await house()
    take_away(one)
    await scan(one, "T-1")
    await written(one)
    await one.cache.redis.flushall()
    assert await one.rewarm(merger.all)
    give_back(one)
    assert said(await scan(one, "T-1", device="other_device")) in (
        "refused already_inside",
        "hold unconfirmed",
    )


async def test_a_steward_takes_over_what_nobody_saw(
    house: NewHouse, database: Database
) -> None:
    """In mode N: the same row, the earlier scan in the conflicts, never green again."""
    one = await house()
    before = (await scan(one, "T-1", device="other_device")).ask.scan.id
    unseen = "UPDATE check_ins SET confirmed_at = NULL WHERE confirmed_at IS NOT NULL"
    while await database.pool.execute(unseen) != "UPDATE 1":  # noqa: ASYNC110
        await asyncio.sleep(0.01)  # it is confirmed behind its answer
    held = await scan(one, "T-1")
    assert said(held) == "hold unconfirmed"
    assert held.decision.args["previous"] == str(before)
    taken = await scan(one, "T-1", take_over=before)
    assert (said(taken), taken.durable) == ("admitted ok", "committed")
    row = await database.pool.fetchrow("SELECT * FROM check_ins")
    assert row["scan_id"] == taken.ask.scan.id
    assert await conflicts(database) == [("superseded", taken.ask.scan.id, before, 0)]
    replay = await scan(one, "T-1", before, device="other_device")
    assert replay.stored.superseded_by == taken.ask.scan.id
    again = await scan(one, "T-1", device="other_device", take_over=before)
    assert said(again) in ("hold unconfirmed", "refused already_inside")
    assert (
        await database.pool.fetchval(
            "SELECT inside FROM ops.scopes WHERE kind = 'venue'"
        )
        == 1
    )


async def test_taken_over_in_mode_d(
    house: NewHouse, merger: Merger, database: Database
) -> None:
    one, two = await house(), await house()
    take_away(one)
    before = await scan(one, "T-1", device="other_device")
    await written(one)
    (line,) = journals.read(one.journal.path)
    # As if the answer had been lost on its way: nobody saw a green.
    await one.journal.append([msgspec.structs.replace(line, state="answered")])
    await unshown(one)
    held = await scan(two, "T-1")
    assert said(held) in ("hold unconfirmed", "refused already_inside")
    taken = await scan(one, "T-1", take_over=before.ask.scan.id)
    assert (said(taken), taken.durable) == ("admitted ok", "journal")
    await written(one)
    await merger.turn()
    assert await database.pool.fetchval("SELECT scan_id FROM check_ins") == (
        taken.ask.scan.id
    )


async def test_the_way_back_waits_for_no_other_duty(
    house: NewHouse, merger: Merger, database: Database, cache: Cache
) -> None:
    """All connections of the process are at work, and another event is busy."""
    one = await house()
    take_away(one)
    await scan(one, "T-1")
    await written(one)
    modes = Modes(database, cache, Busy(database, cache), steady_s=0.0)
    taken = [await database.pool.acquire() for _ in range(POOL_SIZE_MAX - 1)]
    hangs = asyncio.create_task(database.pool.execute("SELECT pg_sleep(60)"))
    try:
        async with asyncio.timeout(30):
            assert await merger.turn() == 1
            while not await modes.turn():
                pass
    finally:
        hangs.cancel()
        await asyncio.wait([hangs])
        for connection in taken:
            await database.pool.release(connection)


class Busy(Drain):
    """A drain that always finds something, as while another event is in full swing."""

    async def turn(self, without: Collection[UUID] = ()) -> int:
        await asyncio.sleep(0)
        return 1


async def test_a_claim_that_came_to_nothing_turns_its_own_guest_not_away(
    house: NewHouse, merger: Merger, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back in N, its mark is still in the cache, and its line is cancelled."""
    one = await house()
    take_away(one)

    async def fails(_: object) -> None:
        raise OSError("the disk does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(one.journal, "look", fails)
        lost = await scan(one, "T-1")
    assert said(lost) == "unavailable"
    await written(one)
    await database.pool.execute("UPDATE ops.machines SET retired_at = now()")
    assert await Modes(database, one.cache, one.drain, steady_s=0.0).turn() == 1
    give_back(one)
    assert await provisional(one)
    assert said(await scan(one, "T-1", lost.ask.scan.id)) == "unavailable"
    while await provisional(one):
        await merger.turn()
    again = await scan(one, "T-1", lost.ask.scan.id)
    assert (said(again), again.durable) == ("admitted ok", "committed")


async def test_a_claim_whose_line_the_disk_lost_is_no_claim_for_ever(
    house: NewHouse, merger: Merger, database: Database, tmp_path: Path
) -> None:
    """Power went: the cache of another machine knows of an entry that no file names."""
    one = await house()
    take_away(one)
    lost = await scan(one, "T-1")
    kept = await scan(one, "G-1", admit=2)
    assert (said(lost), said(kept)) == ("admitted ok", "admitted ok")
    await written(one)
    await one.journal.stop()
    (path,) = journals.Journals(tmp_path).paths()
    with contextlib.closing(sqlite3.connect(path)) as journal, journal:
        gone = journal.execute(
            "DELETE FROM line WHERE scan_id = ?", (lost.ask.scan.id.bytes,)
        )
        assert gone.rowcount == 1
    two = await house()
    assert await merger.turn() == 1
    assert await Modes(database, two.cache, two.drain, steady_s=0.0).turn() == 1
    assert await provisional(two) == 1, "the line that is left is on record"
    assert said(await scan(two, "T-1", lost.ask.scan.id)) == "unavailable"
    await merger.turn()
    assert await provisional(two) == 0
    again = await scan(two, "T-1", lost.ask.scan.id)
    assert (said(again), again.durable) == ("admitted ok", "committed")
    assert await two.counted() == await two.counters()


async def test_a_file_that_is_swept_while_it_is_merged_ends_no_turn(
    house: NewHouse, merger: Merger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted over the files that are left, fewer lines than none had come in."""
    one = await house()
    take_away(one)
    await scan(one, "T-1")
    await written(one)
    assert await merger.turn() == 1
    await scan(one, "T-2")
    await written(one)
    execute = merger._execute

    async def swept(path: Path, command: object) -> object:
        reply = await execute(path, command)
        merger.forget(path)
        return reply

    monkeypatch.setattr(merger, "_execute", swept)
    assert await merger.turn() >= 1
