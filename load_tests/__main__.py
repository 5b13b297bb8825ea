"""`make load`: stores, roles, an event, locust for a bounded time, and the verdict."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.event import BulkEvent
from benchmarks.house import ROOT, House, Role, free_port, open_house
from load_tests.budgets import Line, judge
from load_tests.config import Target
from load_tests.live_client import LiveClient
from ops import log

HOST = "127.0.0.1"
SETTLE_S_MAX = 15.0


class Checked(msgspec.Struct, frozen=True):
    """What must be the same at the end: admissions of the record, people on screens."""

    admitted: int
    shown: int


def locust(
    target: Target, folder: Path, users: int, seconds: int
) -> list[dict[str, Any]]:
    """Run locust in a process of its own; its statistics.

    Raises:
        click.ClickException: locust did not run to its end.
    """
    path = folder / "target.json"
    path.write_bytes(msgspec.json.encode(target))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", "load_tests/locustfile.py"),
            *("--headless", "--json", "--exit-code-on-error", "0"),
            *("-u", str(users), "-r", str(max(users // 4, 1)), "-t", f"{seconds}s"),
            *("--stop-timeout", "5", "--loglevel", "WARNING"),
        ],
        cwd=ROOT,
        env={**os.environ, "LOAD_TARGET": str(path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=seconds + 120,
        check=False,
    )
    start = done.stdout.find(b"[")
    if done.returncode or start < 0:
        raise click.ClickException(
            f"locust ended with {done.returncode}: {done.stderr.decode()[-2000:]}"
        )
    stats: list[dict[str, Any]] = msgspec.json.decode(done.stdout[start:])
    return stats


async def play(
    house: House, tickets: int, users: int, seconds: int
) -> tuple[list[Line], Checked]:
    """Start the roles, play, and compare the screens with the record at the end."""
    event = await BulkEvent.make(house.db, tickets)
    house.sync()
    await house.warm(event)
    api = await house.api()
    live_port = free_port()
    house.roles.append(
        Role(
            ("-m", "ops.cli", "serve", "live"),
            house.environment(live_port=str(live_port)),
        )
    )
    target = Target(
        f"http://{HOST}:{api.port}",
        f"ws://{HOST}:{live_port}/live",
        event.id,
        event.tokens,
        event.prefix,
        event.tickets,
    )
    stats = await asyncio.to_thread(locust, target, house.folder, users, seconds)
    admitted = await house.admitted(event)
    return judge(stats), Checked(admitted, await shown(target, admitted))


async def shown(target: Target, wanted: int) -> int:
    """The people inside as a new screen sees them, when it has caught up."""
    topic = f"event:{target.event_id}:attendance"
    client = LiveClient(target.live, target.tokens[0], [topic])
    inside = -1
    try:
        async with asyncio.timeout(SETTLE_S_MAX):
            async for _ in client.frames():
                data = client.mirror.topics[topic].data
                inside = data["figures"]["inside"] if data else -1
                if inside == wanted:
                    break
    except TimeoutError:
        pass
    finally:
        await client.close()
    return inside


def table(lines: list[Line]) -> Table:
    """The lines with their budgets."""
    out = Table(title="Load test", title_justify="left", pad_edge=False)
    for name in ("what", "count", "failures", "p50 ms", "p99 ms", "budget", ""):
        justify: Any = "left" if name in ("what", "") else "right"
        out.add_column(name, justify=justify)
    for line in lines:
        budget = line.budget
        out.add_row(
            line.name,
            f"{line.count:,}",
            f"{line.failures:,}",
            f"{line.p50_ms:.0f}",
            f"{line.p99_ms:.0f}",
            f"{budget.p50_ms:.0f} / {budget.p99_ms:.0f}" if budget else "",
            "[green]kept[/]" if line.kept else "[red]over[/]",
        )
    return out


async def run(tickets: int, users: int, seconds: int) -> bool:
    """The whole load test; whether every budget was kept."""
    console = Console()
    async with open_house() as house:
        lines, checked = await play(house, tickets, users, seconds)
    console.print(table(lines))
    same = checked.admitted == checked.shown
    console.print(
        f"{checked.admitted:,} admissions in PostgreSQL, {checked.shown:,} people "
        f"inside on a screen: {'the same' if same else 'NOT the same'}"
    )
    kept = same and all(line.kept for line in lines)
    console.print("[green]within budget[/]" if kept else "[red]over budget[/]")
    return kept


@click.command()
@click.option("--users", default=125, type=click.IntRange(5, 2000), help="4 of 5 scan.")
@click.option("--seconds", default=60, type=click.IntRange(2, 600))
@click.option("--tickets", default=50_000, type=click.IntRange(1000, 1_000_000))
def main(users: int, seconds: int, tickets: int) -> None:
    """Play a gate rush with watching screens, on stores and roles of its own."""
    log.configure("warning", "console", role="load")
    sys.exit(0 if uvloop.run(run(tickets, users, seconds)) else 1)


if __name__ == "__main__":
    main()
