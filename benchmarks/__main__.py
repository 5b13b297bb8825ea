"""Run the benchmarks: `make bench`, or `python -m benchmarks --help`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import rich_click as click
import uvloop
from rich.console import Console

from benchmarks import (
    cache,
    crm,
    lanes,
    latency,
    live_fanout,
    live_load,
    outage,
    people,
    report,
    rules,
    scans,
    start,
)
from benchmarks.client import Client
from benchmarks.event import BulkEvent
from benchmarks.figure import Figure, Target
from benchmarks.house import House, open_house
from benchmarks.scans import Door
from ops import log

TICKETS = 100_000
SMALL, LARGE = 10_000, 1_000_000
CONTACTS_SMALL, CONTACTS_LARGE = 100_000, 1_000_000
ALL = (
    "scans",
    "latency",
    "open",
    "facts",
    "lanes",
    "rules",
    "sizes",
    "start",
    "cache",
    "outage",
    "live",
    "hub",
    "crm",
    "people",
)
_SAY = Console(stderr=True, highlight=False)


class Plan:
    """What to run and how long."""

    def __init__(
        self,
        only: tuple[str, ...],
        large: int,
        rounds: int,
        seconds: float,
        keep: Path | None = None,
    ):
        self.only, self.large, self.keep = only or ALL, large, keep
        self.rounds, self.seconds = rounds, seconds
        self.contacts = CONTACTS_LARGE if large == LARGE else CONTACTS_SMALL

    def __contains__(self, name: str) -> bool:
        return name in self.only


async def run(plan: Plan) -> list[Figure]:
    """All figures of the plan, in the order of the table."""
    figures: list[Figure] = []
    if any(name in plan for name in ALL if name != "live"):
        async with open_house(plan.keep) as house:
            _SAY.print(f"an event of {TICKETS:,} tickets ..")
            event = await BulkEvent.make(house.db, TICKETS)
            with Client() as client:
                figures += await _door(plan, house, event, client)
            if "start" in plan:
                _SAY.print("start ..")
                figures += await start.first_scan(house, event, 3)
            if "cache" in plan:
                _SAY.print("cache ..")
                figures += await cache.cache(house, event, 3)
            if "outage" in plan:
                _SAY.print("outage ..")
                figures += await outage.outage(house)
            if "hub" in plan:
                _SAY.print("hub ..")
                figures += await live_load.hub(house)
            if "people" in plan:
                _SAY.print("people ..")
                figures += await people.people(house, plan.contacts)
    return figures


async def _door(
    plan: Plan, house: House, event: BulkEvent, client: Client
) -> list[Figure]:
    """The figures that need the api and sync roles; both end with them."""
    sync = house.sync()
    await house.warm(event)
    api = await house.api()
    door = Door(house, event, api, client)
    rounds, seconds = plan.rounds, plan.seconds
    figures: list[Figure] = []
    steps: list[tuple[str, Callable[[], Awaitable[list[Figure]]]]] = [
        ("scans", lambda: scans.throughput(door, rounds, seconds)),
        ("latency", lambda: latency.one_connection(door, rounds, seconds)),
        ("open", lambda: scans.open_loop(door, 20.0)),
        ("facts", lambda: scans.without_cache(door, rounds, seconds / 2)),
        ("lanes", lambda: lanes.two_lanes(door, rounds, 2 * seconds)),
        ("rules", lambda: _rules(door, plan)),
        ("sizes", lambda: _sizes(door, plan)),
        ("crm", lambda: crm.crm(door, plan.contacts, min(rounds, 3), seconds)),
    ]
    for name, measure in steps:
        if name in plan:
            _SAY.print(f"{name} ..")
            figures += await measure()
    house.end(api)
    house.end(sync)
    return figures


async def _rules(door: Door, plan: Plan) -> list[Figure]:
    house, doors = door.house, []
    for ruled in (True, False):
        event = await BulkEvent.make(house.db, TICKETS)
        if ruled:
            await rules.switch_on(house, event)
        await house.warm(event)
        doors.append(Door(house, event, door.api, door.client))
    return await rules.beside_plain(doors[0], doors[1], plan.rounds, plan.seconds)


async def _sizes(door: Door, plan: Plan) -> list[Figure]:
    house, doors = door.house, []
    for tickets in (plan.large, SMALL):
        event = await BulkEvent.make(house.db, tickets)
        await house.warm(event)
        doors.append(Door(house, event, door.api, door.client))
    return await scans.sizes(doors[0], doors[1], plan.rounds, 1500)


def live() -> list[Figure]:
    """The figures of the live role, with their targets."""
    targets = {"CPU": Target("at most", 1.1), "KiB": Target("at most", 16.0)}
    figures = []
    for name, found in live_fanout.run().items():
        ours, _, theirs = name.partition(" / ")
        target = targets[name[:3]]
        memory = name.startswith("KiB")
        figures.append(
            Figure(
                ours if not memory else "memory of an idle socket",
                found["value"],
                "KiB" if memory else "us",
                found["baseline"],
                theirs,
                None if memory else found["ratio"],
                None,
                target,
            )
        )
    return figures


@click.command()
@click.option("--only", multiple=True, type=click.Choice(ALL), help="Some of them.")
@click.option("--big", is_flag=True, help="1,000,000 tickets (minutes), not 200,000.")
@click.option("--rounds", default=5, type=click.IntRange(1, 20))
@click.option("--seconds", default=2.0, type=click.FloatRange(0.2, 20))
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    help="A folder of stores that are filled once and stay.",
)
@click.option("--out", default=Path("out/bench.json"), type=click.Path(path_type=Path))
@click.option(
    "--picture", default=Path("docs/img/bench.png"), type=click.Path(path_type=Path)
)
def main(
    only: tuple[str, ...],
    big: bool,
    rounds: int,
    seconds: float,
    keep: Path | None,
    out: Path,
    picture: Path,
) -> None:
    """Measure the door, each figure beside its baseline of the same run."""
    log.configure("warning", "console", role="bench")
    plan = Plan(only, LARGE if big else 200_000, rounds, seconds, keep)
    on = report.machine()
    figures = uvloop.run(run(plan))
    if "live" in plan:
        _SAY.print("live ..")
        figures += live()
    report.show(figures, on)
    report.save(out, figures, on)
    if not only:
        report.draw(picture, figures)


if __name__ == "__main__":
    main()
