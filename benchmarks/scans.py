"""Scans over HTTP: how many a second, from which store, of how large an event."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.client import Client, Job, Outcome
from benchmarks.event import BulkEvent
from benchmarks.figure import Figure, Target, paired
from benchmarks.house import House, Role
from benchmarks.usage import Usage
from ops.errors import OpsError

CONNECTIONS = 32
STEPS = ("facts", "commit", "verify", "finish", "journal")
OPEN_RATE_PER_S = 500.0
DUPLICATES, UNKNOWN = 0.10, 0.05


class Door:
    """An event, an api process and a client: what a scan needs."""

    def __init__(self, house: House, event: BulkEvent, api: Role, client: Client):
        self.house, self.event, self.api, self.client = house, event, api, client

    def job(self, path: str, seconds: float, **more: Any) -> Job:
        """A job of the client against this event."""
        return Job(
            self.api.port,
            f"/api/v1/events/{self.event.id}/{path}",
            self.event.tokens,
            more.pop("connections", CONNECTIONS),
            seconds,
            **more,
        )

    async def scan(
        self, count: int, seconds: float, connections: int = CONNECTIONS, **more: int
    ) -> Outcome:
        """Scan tickets that nobody has scanned; all are admitted."""
        codes = [self.event.code(number) for number in self.event.fresh(count)]
        job = self.job(
            "scans", seconds, codes=codes, connections=connections, more=more
        )
        outcome = await self.client.run(job)
        self.event.give_back(count - outcome.sent)
        _only_admitted(outcome)
        return outcome

    async def empty(self, seconds: float, connections: int = CONNECTIONS) -> Outcome:
        """Ask the empty handler."""
        return await self.client.run(
            self.job("empty", seconds, connections=connections)
        )

    def usage(self) -> Usage:
        """CPU time by process from now on."""
        embedded = self.house.embedded
        assert embedded.postgres.pid
        assert embedded.valkey.pid
        roles = {"Python": self.api.pid}
        if self.house.syncing is not None:
            roles["sync"] = self.house.syncing.pid
        return Usage(
            {
                **roles,
                "PostgreSQL": embedded.postgres.pid,
                "Redis": embedded.valkey.pid,
            }
        )


def _only_admitted(outcome: Outcome) -> None:
    admitted = outcome.verdicts.get("admitted", 0)
    if outcome.errors or admitted != sum(outcome.verdicts.values()):
        raise OpsError(f"not admitted: {outcome.statuses} {outcome.verdicts}")


async def throughput(door: Door, rounds: int, seconds: float) -> list[Figure]:
    """Durable scans a second beside the empty handler; and what a scan costs."""
    await door.empty(0.5)
    await door.scan(500, seconds)
    before = await door.house.admitted(door.event)
    ours, theirs, cpu, empty_cpu, answered = [], [], [], [], 0
    for _ in range(rounds):
        usage = door.usage()
        empty = await door.empty(seconds)
        theirs.append(empty.per_s)
        empty_cpu.append(usage.spent_s()["Python"] / empty.count * 1e6)
        usage = door.usage()
        scans = await door.scan(int(empty.per_s * seconds * 0.8), seconds)
        ours.append(scans.per_s)
        cpu.append({k: v / scans.count * 1e6 for k, v in usage.spent_s().items()})
        answered += scans.count
    written = await door.house.admitted(door.event) - before
    if written != answered:
        raise OpsError(f"{answered} scans were admitted, {written} are in PostgreSQL")
    total = [sum(one.values()) for one in cpu]
    return [
        paired(
            f"durable scans, {CONNECTIONS} connections",
            "/s",
            ours,
            theirs,
            "empty authenticated handler",
            Target("at least", 0.4),
        ),
        paired(
            "CPU of a scan, all processes",
            "us",
            total,
            empty_cpu,
            "empty authenticated handler",
            None,
            by_process={k: [round(one[k]) for one in cpu] for k in cpu[0]},
        ),
    ]


async def open_loop(door: Door, seconds: float) -> list[Figure]:
    """Poisson arrivals that do not wait for the server, with the profile of a batch."""
    count = int(OPEN_RATE_PER_S * seconds * 1.2)
    codes = _mixed(door.event, count)
    await door.api.metrics()
    before, usage = await door.api.metrics(), door.usage()
    outcome = await door.client.run(
        door.job(
            "scans",
            seconds,
            codes=codes,
            connections=128,
            mode="open",
            rate_per_s=OPEN_RATE_PER_S,
        )
    )
    spent, after = usage.spent_s(), await door.api.metrics()
    gone = {name: after[name] - before.get(name, 0.0) for name in after}
    batches = gone["ops_batch_scans_count"]
    profile: dict[str, float] = {
        f"{name} CPU ms a batch": spent[name] / batches * 1000 for name in spent
    }
    for step in STEPS:
        times = gone.get(f'ops_step_seconds_count{{step="{step}"}}', 0.0)
        if times:
            took = gone[f'ops_step_seconds_sum{{step="{step}"}}']
            profile[f"{step} ms"] = took / times * 1000
    details = {
        "scans": outcome.count,
        "per_s": outcome.per_s,
        "verdicts": outcome.verdicts,
        "statuses": outcome.statuses,
        "waited_for_a_connection": outcome.late,
        "scans_a_batch": gone["ops_batch_scans_sum"] / batches,
        "profile": profile,
    }
    name = f"open loop, Poisson {OPEN_RATE_PER_S:.0f} scans/s"
    return [
        Figure(f"{name}: p50", outcome.quantile_ms(0.50), "ms", details=details),
        Figure(f"{name}: p99", outcome.quantile_ms(0.99), "ms"),
        Figure(f"{name}: errors", outcome.errors, "", target=Target("at most", 0)),
    ]


def _mixed(event: BulkEvent, count: int) -> list[str]:
    """Codes of which a tenth were scanned a while before and a twentieth nobody has."""
    rng = random.Random(7)
    fresh = iter(event.fresh(count))
    codes: list[str] = []
    used: list[str] = []
    for _ in range(count):
        dice = rng.random()
        if dice < UNKNOWN:
            codes.append(f"NOBODY-{rng.randrange(10**9)}")
        elif dice < UNKNOWN + DUPLICATES and used:
            codes.append(rng.choice(used))
        else:
            used.append(event.code(next(fresh)))
            codes.append(used[-1])
    return codes


async def without_cache(door: Door, rounds: int, seconds: float) -> list[Figure]:
    """Facts from Redis beside facts from PostgreSQL: a process without a cache."""
    nowhere = f"unix://{door.house.folder}/no-such-cache"
    api = await door.house.api(redis_url=nowhere)
    cold = Door(door.house, door.event, api, door.client)
    try:
        await cold.scan(200, seconds)
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append((await door.scan(_enough(seconds), seconds)).per_s)
            theirs.append((await cold.scan(_enough(seconds), seconds)).per_s)
        figures = await api.metrics()
        if not figures.get('ops_step_seconds_count{step="verify"}'):
            raise OpsError("the process without a cache did not read PostgreSQL")
    finally:
        door.house.end(api)
    return [
        paired(
            "scans with facts from Redis", "/s", ours, theirs, "facts from PostgreSQL"
        )
    ]


def _enough(seconds: float) -> int:
    return int(4000 * seconds)


async def sizes(large: Door, small: Door, rounds: int, scans: int) -> list[Figure]:
    """Scans of a large event beside those of a small one, the same number each."""
    for door in (large, small):
        await door.scan(scans // 4, 30.0)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append((await large.scan(scans, 30.0)).per_s)
        theirs.append((await small.scan(scans, 30.0)).per_s)
    return [
        paired(
            f"scans of an event of {large.event.tickets:,} tickets",
            "/s",
            ours,
            theirs,
            f"of {small.event.tickets:,} tickets",
            Target("at least", 0.9),
        )
    ]
