"""What a lost store costs, and the way back.

How long the first guest waits when a store falls silent (its processes are stopped, so
that nobody refuses a connection: the worst case); how fast the lines of an outage come
into the record while the door rests; and what a door at work and a merge leave each
other, the merge in the sync role as in production.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from statistics import median

from benchmarks.event import BulkEvent
from benchmarks.figure import Figure, Target, paired
from benchmarks.house import House
from benchmarks.journal_mode import CALLERS, Door, merging, per_line
from benchmarks.usage import descendants
from ops.admission.scan import ScanRequest
from ops.errors import OpsError
from ops.ids import uuid7

LINES = 30_000
LOSSES = 5
SCANS = 4_000
UNTIL_S = 180.0

_MERGED = """
SELECT count(*) FROM ops.scan_log WHERE event_id = $1 AND durable = 'journal'
"""


async def outage(house: House) -> list[Figure]:
    """All of it, on an event of its own."""
    event = await BulkEvent.make(house.db, 2 * LINES + 6 * SCANS)
    figures = await _noticed(house, event)
    door = Door(house, event)
    await door.start()
    try:
        figures.append(await _idle(door))
        figures += await _busy(house, door)
    finally:
        await door.stop()
    return figures


@contextmanager
def _stopped(root: int) -> Iterator[None]:
    """Within: this process and all its children stand still."""
    pids = descendants(root)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


async def _noticed(house: House, event: BulkEvent) -> list[Figure]:
    """How long the first guest waits whose scan meets a silent store."""
    door = Door(house, event, patient=False)
    await door.start()
    embedded = house.embedded
    assert embedded.valkey.pid
    assert embedded.postgres.pid
    figures = []
    try:
        for name, pid, durable, limit_s in (
            ("Redis", embedded.valkey.pid, "committed", 0.3),
            ("PostgreSQL", embedded.postgres.pid, "journal", 0.5),
        ):
            took = []
            for _ in range(LOSSES):
                await _admit(door, "committed")
                with _stopped(pid):
                    took.append(await _admit(door, durable))
                if durable == "committed":
                    door.stores.breaker.succeeded()
                else:
                    await door.database.renew_door()
                    await door.back()
            figures.append(
                Figure(
                    f"{name} falls silent: the first guest waits",
                    median(took),
                    "s",
                    target=Target("at most", limit_s),
                    details={"each": took},
                )
            )
    finally:
        await door.stop()
    return figures


async def _admit(door: Door, durable: str) -> float:
    """Seconds of one scan of somebody new.

    Raises:
        OpsError: the answer is not as durable as it should be.
    """
    (number,) = door.event.fresh(1)
    request = ScanRequest(uuid7(), door.event.code(number))
    started_s = time.perf_counter()
    told = await door.desk.scan(door.event.id, door.device, request)
    took_s = time.perf_counter() - started_s
    if told.item.durable != durable:
        raise OpsError(f"durable: {told.item.durable}, not {durable}")
    return took_s


async def _idle(door: Door) -> Figure:
    """The lines of an outage, while nobody scans."""
    door.lose_postgresql()
    await door.rate(LINES, "journal")
    usage, started_s = merging(door), time.perf_counter()
    await door.back()
    took_s = time.perf_counter() - started_s
    return Figure(
        f"merge of {LINES:,} journal lines, the door at rest",
        took_s,
        "s",
        target=Target("at most", 10.0),
        details={"lines_per_s": LINES / took_s} | per_line(usage, LINES),
    )


async def _busy(house: House, door: Door) -> list[Figure]:
    """The door in mode D without and with a merge beside it; what the merge gets."""
    door.lose_postgresql()
    await door.rate(LINES - SCANS, "journal")
    alone = await door.rate(SCANS, "journal")
    before = await _merged(house, door)
    role = house.sync()
    try:
        await _until(lambda count: count > before, house, door)
        began, began_s = await _merged(house, door), time.perf_counter()
        beside = await door.rate(SCANS, "journal")
        ended, took_s = await _merged(house, door), time.perf_counter() - began_s
    finally:
        house.end(role)
    await door.back()
    lines = Figure(
        "merge of journal lines, the door at work",
        (ended - began) / took_s,
        "/s",
        details={"callers": CALLERS},
    )
    rate = paired(
        "scans by journal, beside a merge",
        "/s",
        [beside],
        [alone],
        "without the merge",
        Target("at least", 0.5),
    )
    return [rate, lines]


async def _merged(house: House, door: Door) -> int:
    count: int = await house.db.fetchval(_MERGED, door.event.id)
    return count


async def _until(wanted: Callable[[int], bool], house: House, door: Door) -> None:
    """Wait for a count of merged lines.

    Raises:
        OpsError: it does not come.
    """
    end_s = time.monotonic() + UNTIL_S
    while not wanted(await _merged(house, door)):
        if time.monotonic() > end_s:
            raise OpsError("nothing is merged: see roles.log")
        await asyncio.sleep(0.05)
