"""One fault under load: doors open, the fault, the way back, then the count."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

import asyncpg
import msgspec
from redis.exceptions import RedisError

from ops.cache import keys
from ops.dev.crowd import folder
from tests.faults.checker import Findings, check
from tests.faults.doors import Crowd
from tests.faults.ground import Ground

TICKETS = 3_000
BEFORE, AFTER = 60, 150
"""Verdicts from the server before the fault begins, and after it is over."""
DOWN_S = 4.0
"""How long a store is away, if the fault says nothing else."""
RECOVER_S, SETTLE_S, DRAIN_S = 60.0, 45.0, 60.0


class Scene:
    """What a fault may touch: the ground, the crowd, the event."""

    def __init__(
        self, ground: Ground, crowd: Crowd, event_id: UUID, short: bool
    ) -> None:
        self.ground, self.crowd, self.event_id = ground, crowd, event_id
        self.short = short
        self.faked_clock = False

    async def hold(self, seconds: float) -> None:
        """Let the fault last; the short version a third of it, at least one second."""
        await asyncio.sleep(max(1.0, seconds / 3) if self.short else seconds)


class Fault(msgspec.Struct, frozen=True):
    """A fault: what it does, from the first act to the last.

    `prepare` runs before the doors open; `run` returns when what was broken is whole
    again, or when `Ground.heal` is enough to make it so.
    """

    name: str
    group: str
    run: Callable[[Scene], Awaitable[None]]
    prepare: Callable[[Ground], Awaitable[None]] | None = None
    in_gate: bool = False
    poison: float = 0.0


class Result(msgspec.Struct):
    """A row of the report."""

    name: str
    group: str
    seed: int
    findings: Findings
    silence_s: float
    """The longest from a code read to a verdict on the device."""
    late_s: float
    """The longest that the harness itself was kept from its turn by the machine."""
    gap_s: float
    """The longest time in which no door was told green by the server."""
    merge_per_s: float | None
    served: bool
    """Whether the server answered again after the fault."""
    apart: dict[str, tuple[str, str]]
    """Counters of the cache that did not come to what PostgreSQL holds."""
    seconds: float
    stumbled: str = ""
    """What ended the scenario itself before its time."""
    first_s: float | None = None
    """From the end of the fault to the next green by the server, if there was one."""

    @property
    def converged(self) -> bool:
        """Whether screens show what the record holds."""
        return not self.apart

    @property
    def good(self) -> bool:
        """Whether everything that was promised was kept."""
        whole = self.served and self.converged and not self.stumbled
        return self.findings.kept and whole


async def play(
    ground: Ground,
    fault: Fault,
    seed: int,
    *,
    short: bool = False,
    settle_s: float = SETTLE_S,
) -> Result:
    """Play a scenario on a ground that is whole, and leave it whole."""
    began_s = time.monotonic()
    if fault.prepare is not None:
        await fault.prepare(ground)
    event, tickets = await ground.event(TICKETS // 3 if short else TICKETS)
    place = folder(ground.folder, event.id)
    crowd = Crowd(event.id, tickets, event.doors, ground.urls, place, seed)
    crowd.poison = fault.poison
    scene = Scene(ground, crowd, event.id, short)
    crowd.start()
    await crowd.reach(BEFORE, RECOVER_S)
    struck_s = time.monotonic()
    try:
        await fault.run(scene)
    finally:
        await ground.heal()
    healed_s = time.monotonic()
    served = await crowd.reach(AFTER // 3 if short else AFTER, RECOVER_S)
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            await crowd.stop()
    merge_per_s = await _merged(ground, event.id, healed_s, settle_s)
    apart = await _apart(ground, event.id, settle_s)
    async with ground.db.acquire() as connection:
        findings = await check(
            connection, ground.folder, event.id, clocks=not scene.faked_clock
        )
    return Result(
        fault.name,
        fault.group,
        seed,
        findings,
        max(crowd.silences, default=0.0),
        crowd.late_s,
        _gap(crowd.greens, struck_s),
        merge_per_s,
        served,
        apart,
        time.monotonic() - began_s,
        first_s=min((g - healed_s for g in crowd.greens if g > healed_s), default=None),
    )


def _gap(greens: list[float], struck_s: float) -> float:
    """The longest pause between two greens, the second of them after the strike."""
    ordered = sorted(greens)
    pauses = [b - a for a, b in itertools.pairwise(ordered) if b > struck_s]
    return max(pauses, default=0.0)


async def _merged(
    ground: Ground, event_id: UUID, healed_s: float, settle_s: float
) -> float | None:
    """Scans a second that came from journals, if any did; waits until all have."""
    end_s = time.monotonic() + settle_s
    while time.monotonic() < end_s:
        with suppress(OSError, asyncpg.PostgresError):
            async with ground.db.acquire() as connection:
                found = await check(connection, ground.folder, event_id)
            if not found.unmerged:
                took_s = time.monotonic() - healed_s
                return found.journalled / took_s if found.journalled else None
        await asyncio.sleep(0.2)
    return None


async def _apart(
    ground: Ground, event_id: UUID, settle_s: float
) -> dict[str, tuple[str, str]]:
    """Where screens and record still differ after a while: cache and record."""
    end_s = time.monotonic() + settle_s
    apart = {"state": ("unknown", "ready")}
    while apart and time.monotonic() < end_s:
        with suppress(OSError, RedisError, asyncpg.PostgresError):
            apart = await _compare(ground, event_id)
        await asyncio.sleep(0.1)
    return apart


async def _compare(ground: Ground, event_id: UUID) -> dict[str, tuple[str, str]]:
    rows = await ground.db.fetch(
        "SELECT name, value FROM ops.counters_v1($1)", event_id
    )
    wanted = {row["name"]: str(row["value"] or 0) for row in rows}
    async with ground.store() as store:
        state, mode = await store.hmget(keys.meta(event_id), ["state", "mode"])
        hash_ = await store.hgetall(keys.counters(event_id))
    counters = {name.decode(): value.decode() for name, value in hash_.items()}
    if (state, mode) != (b"ready", b"N"):
        return {"state": (f"{state} {mode}", "ready N")}
    # Refused attempts are counted behind the answer and may be lost with Redis.
    return {
        name: (counters.get(name, "0"), wanted.get(name, "0"))
        for name in sorted({*wanted, *counters})
        if name[0] in "iegtmwx" and counters.get(name, "0") != wanted.get(name, "0")
    }
