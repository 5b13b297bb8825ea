"""Mode D's claim admits nothing that the decision on PostgreSQL's facts refuses.

Hundreds of tickets live through a random evening; then PostgreSQL is gone for the
process and every ticket is scanned once more. Whom the claim lets in or out, the same
rules on PostgreSQL's facts of that moment let in or out as well, by the same rows;
limits and held places included. The claim may refuse more (an unconfirmed entry is
amber), never less. HISTORIES=50000 in the long run (`make histories`).
"""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.admission.commands import Item, ReadDatabase
from ops.admission.decision import decide
from ops.admission.from_database import DatabaseFacts, DatabaseRead
from ops.admission.outcome import Decision
from ops.admission.scan import Override, ScanRequest
from ops.cache import keys
from ops.checkin.pending import Pending, ask
from ops.clock import FixedClock
from ops.crm_sync.relay import Relay
from ops.ids import uuid7
from tests.house import House
from tests.integration.test_histories import (
    GATES,
    LATER_S,
    Houses,
    Twin,
    houses,  # noqa: F401
    long,
    many,
)
from tests.journal_kit import take_away
from tests.small_event import code_hash

PLACES, HELD = 150, 40
_LIMITS = (
    ("UPDATE ops.areas SET capacity = $2 WHERE id = $1", PLACES),
    (
        "INSERT INTO ops.held_places (id, event_id, area_id, access_class, places)"
        " SELECT gen_random_uuid(), event_id, id, 'artist', $2 FROM ops.areas"
        " WHERE id = $1",
        HELD,
    ),
)


class Evening:
    """A house with many tickets, and one last scan of each."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.seed = house, seed
        self.twin = Twin(house, uuid7())
        self.full = seed % 2 == 0
        """A crowded place that people only enter: whoever left would make room for the
        next one in the same batch, which the facts of before cannot know."""
        self.said: dict[str, int] = {}

    async def play(self, steps: list[int], clock: FixedClock) -> None:
        """Prepare the event and live through the steps with PostgreSQL."""
        await self.twin.prepare(self.seed)
        for statement, number in _LIMITS if self.full else ():
            await self.house.database.pool.execute(
                statement, self.house.event.venue, number
            )
        assert await self.house.rewarm()
        for number, later_s in enumerate(steps):
            clock.move(clock.at + timedelta(seconds=later_s))
            await self.twin.step(self.seed + number)
        clock.move(clock.at + timedelta(seconds=30))
        # What the record changed by itself is told within a second in the house.
        relay = Relay(self.house.database, self.house.cache)
        while await relay.turn():
            pass

    def last(self) -> list[tuple[ScanRequest, UUID]]:
        """One scan of each ticket, and the device that makes it."""
        rng, event = random.Random(-self.seed), self.house.event
        made = []
        for code in self.twin.codes:
            scan = ScanRequest(
                uuid7(),
                code,
                direction="in" if self.full else rng.choice(("in", "in", "out")),
                gate_id=getattr(event, rng.choice(GATES)),
                admit=rng.choice((None, None, 1, 2, 4)),
                override=Override("asked") if rng.random() < 0.05 else None,
            )
            made.append((scan, rng.choice((event.device, event.other_device))))
        return made

    async def record(self, scans: list[tuple[ScanRequest, UUID]]) -> list[Decision]:
        """What the rules say on PostgreSQL's facts."""
        house, asked, reads = self.house, [], []
        desk = await house.desk.event(house.event.id)
        plan = await house.desk_plan()
        loop = asyncio.get_running_loop()
        for scan, device in scans:
            key, kind, hint, forged = house.desk.code(scan)
            pending = Pending(
                scan, device, key, kind, hint, b"", forged, loop.create_future(), 0.0
            )
            entry = await desk.know(device)
            asked.append(ask(plan, pending, entry, house.clock.now()))
            scopes = tuple(plan.scopes.values())
            reads.append(DatabaseRead(scan.id, code_hash(scan.code), scopes, device))
        found = await house.stores.read_database(house.event.id, ReadDatabase(reads))
        assert isinstance(found, DatabaseFacts)
        return [
            decide(plan, one, facts)
            for one, facts in zip(asked, found.facts, strict=True)
        ]

    async def claimed(self, scans: list[tuple[ScanRequest, UUID]]) -> list[Item]:
        """What mode D answers, all at the same moment."""
        take_away(self.house)
        desk, event = self.house.desk, self.house.event
        answers = await asyncio.gather(
            *(desk.scan(event.id, device, scan) for scan, device in scans)
        )
        return [one.item for one in answers]

    async def compare(self) -> None:
        """Nobody is let through whom the record would not let through."""
        scans = self.last()
        record, claimed = await self.record(scans), await self.claimed(scans)
        for (scan, _), theirs, item in zip(scans, record, claimed, strict=True):
            mine = item.decision
            assert mine is not None, item.error
            self._count(mine, theirs)
            if mine.verdict not in ("admitted", "exited"):
                continue
            assert item.durable in ("journal", "none")
            assert (theirs.verdict, theirs.reason) == (mine.verdict, mine.reason), scan
            assert _rows(theirs) == _rows(mine), scan

    def _count(self, mine: Decision, theirs: Decision) -> None:
        for name in (mine.verdict, f"record {theirs.reason}"):
            self.said[name] = self.said.get(name, 0) + 1


def _rows(decision: Decision) -> Any:
    opens = [(o.scope.id, o.person_no, o.pass_no, o.past) for o in decision.opens]
    return opens, [(c.scope.id, c.person_no) for c in decision.closes if c.must]


async def lived(houses: Houses, seed: int, steps: list[int]) -> Evening:  # noqa: F811
    """An evening up to its last scans."""
    clock = FixedClock(datetime.now(UTC))
    evening = Evening(await houses.cold(clock), seed)
    await evening.play(steps, clock)
    return evening


@long
@many
@given(
    seed=st.integers(1, 2**31),
    steps=st.lists(st.sampled_from(LATER_S), min_size=1, max_size=3),
)
async def test_the_claim_admits_nothing_that_the_record_refuses(
    houses: Houses,  # noqa: F811
    seed: int,
    steps: list[int],
) -> None:
    evening = await lived(houses, seed, steps)
    await evening.compare()
    # A comparison in which nobody is let in or turned away would prove little.
    assert evening.said.get("refused", 0) + evening.said.get("hold", 0) > 20
    assert evening.full or evening.said["admitted"] > 20
    assert len([name for name in evening.said if name.startswith("record")]) > 5
    await houses.close()


async def test_a_cache_that_forgot_is_seen(houses: Houses) -> None:  # noqa: F811
    """Negative control: without the visits in the cache the claim admits again."""
    evening = await lived(houses, 7, [5, 20])
    house = evening.house
    await house.cache.redis.delete(keys.visits(house.event.id))
    with pytest.raises(AssertionError):
        await evening.compare()


async def test_places_held_back_are_not_given_away(houses: Houses) -> None:  # noqa: F811
    """Full for guests by what is kept for artists: mode D keeps it as well."""
    evening = await lived(houses, 12, [])
    house = evening.house
    await house.database.pool.execute(
        "UPDATE ops.areas SET capacity = $2 WHERE id = $1", house.event.venue, HELD
    )
    assert await house.rewarm()
    # The process meets the new plan while PostgreSQL is there.
    first = ScanRequest(uuid7(), "nobody's")
    await house.desk.scan(house.event.id, house.event.device, first)
    scans = [
        (ScanRequest(uuid7(), code, admit=1), house.event.device)
        for code in evening.twin.codes[:20]
    ]
    claimed = await evening.claimed(scans)
    reasons = {one.decision.reason for one in claimed if one.decision is not None}
    assert reasons == {"area_full"}
