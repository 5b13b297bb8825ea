"""The door without PostgreSQL beside the door with it, and what the merge costs.

    python -m benchmarks.journal_mode [--scans 8000] [--rounds 5] [--merge 30000]

One desk in this process over real stores, with 32 callers in a closed loop, in turns in
mode N and in mode D (its breaker is opened; nothing of PostgreSQL is asked then). HTTP
is left out on both sides, so the difference that the journal makes is not hidden.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from statistics import median

from benchmarks.event import BulkEvent
from benchmarks.house import House, open_house
from benchmarks.usage import Usage
from ops.admission.journal import Journal
from ops.admission.scan import ScanRequest
from ops.cache.client import CALL_TIMEOUT_S, Cache
from ops.checkin.codes import Keyring
from ops.checkin.desk import Desk
from ops.checkin.plans import Plans
from ops.checkin.stores import TRIES_S, Stores
from ops.clock import Clock
from ops.crm_sync.drain import Drain
from ops.crm_sync.merging import Merger
from ops.crm_sync.modes import Modes
from ops.crm_sync.warm import Warmer
from ops.db.engine import Database
from ops.ids import uuid7

CALLERS = 32
PATIENT_S = (5.0, 5.0)


class Door:
    """A desk in this process, and the parts of the sync role that it needs.

    Args:
        patient: wait long for the stores, so that a busy machine loses no scan; else
            as long as the api role does.
    """

    def __init__(self, house: House, event: BulkEvent, *, patient: bool = True) -> None:
        self.house, self.event = house, event
        self.database = Database(house.database_url, "bench")
        timeout_s, tries_s = (5.0, PATIENT_S) if patient else (CALL_TIMEOUT_S, TRIES_S)
        self.cache = Cache(house.redis_url, timeout_s=timeout_s)
        clock, folder = Clock(), house.folder / "journal"
        self.stores = Stores(self.database, self.cache, clock, tries_s)
        self.journal = Journal(folder)
        plans = Plans(self.database)
        self.desk = Desk(
            self.database, self.stores, plans, self.journal, Keyring({}), clock
        )
        self.drain = Drain(self.database, self.cache)
        self.merger = Merger(self.database, self.cache, folder)
        self.modes = Modes(self.database, self.cache, self.drain, steady_s=0.0)

    async def start(self) -> None:
        await self.database.start()
        await self.journal.start()
        await self.drain.start()
        warmer = Warmer(self.database, self.cache, self.drain.catch_up)
        assert await warmer.rebuild(self.event.id)
        self.device = await self.house.db.fetchval(
            "SELECT device_id FROM ops.device_events WHERE event_id = $1 LIMIT 1",
            self.event.id,
        )

    async def stop(self) -> None:
        await self.desk.stop()
        await self.journal.stop()
        self.merger.stop()
        await self.cache.stop()
        await self.database.stop()

    async def rate(self, scans: int, durable: str) -> float:
        """Greens a second, each of a guest who was not there before."""
        numbers = self.event.fresh(scans)

        async def caller() -> None:
            while numbers:
                request = ScanRequest(uuid7(), self.event.code(numbers.pop()))
                told = await self.desk.scan(self.event.id, self.device, request)
                assert told.item.durable == durable, told.item

        started_s = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        return scans / (time.perf_counter() - started_s)

    def lose_postgresql(self) -> None:
        """As after two failures in a row."""
        self.stores.database_breaker.failed(0.0, 2)

    async def back(self) -> None:
        """Merge, and return to mode N."""
        while await self.merger.turn() or not await self.modes.turn():
            pass
        self.stores.database_breaker.succeeded()


def merging(door: Door) -> Usage:
    """What a merge in this process will have cost."""
    pid = door.house.embedded.postgres.pid
    assert pid is not None
    return Usage({"postgresql": pid, "merger": os.getpid()})


def per_line(usage: Usage, lines: int) -> dict[str, float]:
    """CPU microseconds a line, by who spent them: they depend on no other's work."""
    spent_s = usage.spent_s()
    own_s = spent_s["merger"] - spent_s["postgresql"]  # its stores are its children
    return {
        "postgresql_us_per_line": spent_s["postgresql"] / lines * 1e6,
        "merger_and_cache_us_per_line": own_s / lines * 1e6,
    }


async def run(scans: int, rounds: int, merge: int) -> None:
    """Print the figures."""
    async with open_house() as house:
        event = await BulkEvent.make(house.db, 2 * scans * (rounds + 1) + 2 * merge)
        door = Door(house, event)
        await door.start()
        normal, journal = [], []
        for number in range(rounds + 1):
            n = await door.rate(scans, "committed")
            door.lose_postgresql()
            d = await door.rate(scans, "journal")
            await door.back()
            if number:  # the first round warms up
                normal.append(n)
                journal.append(d)
            print(f"round {number}: N {n:,.0f}/s, D {d:,.0f}/s, {d / n:.2f}")
        ratios = [d / n for d, n in zip(journal, normal, strict=True)]
        print(
            f"scans a second: N {median(normal):,.0f}, D {median(journal):,.0f},"
            f" ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
        door.lose_postgresql()
        await door.rate(merge, "journal")
        usage, started_s = merging(door), time.perf_counter()
        await door.back()
        seconds = time.perf_counter() - started_s
        print(f"merge of {merge:,} lines: {seconds:.1f} s, {merge / seconds:,.0f}/s")
        for who, cost_us in per_line(usage, merge).items():
            print(f"  {who}: {cost_us:.0f}")
        await door.stop()


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="benchmarks.journal_mode")
    parser.add_argument("--scans", type=int, default=8_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--merge", type=int, default=30_000)
    chosen = parser.parse_args()
    asyncio.run(run(chosen.scans, chosen.rounds, chosen.merge))


if __name__ == "__main__":
    main()
