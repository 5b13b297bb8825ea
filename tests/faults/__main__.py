"""`make faults`: every fault under load, the negative controls, and the report.

    python -m tests.faults                    all faults, then docs/reliability.md
    python -m tests.faults --only Valkey      faults whose name or group has the word
    python -m tests.faults --short            a third of the time and of the guests
    python -m tests.faults --seed 7           other guests in another order

Loopback only; starts and ends its own processes. Exit 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

from rich.console import Console

from tests.faults import report
from tests.faults.catalogue import FAULTS
from tests.faults.checker import Findings
from tests.faults.ground import ROOT, Ground, open_ground
from tests.faults.guards import CONTROLS, Caught, control
from tests.faults.scenario import Fault, Result, play

SEED = 20261126
_OUT = Console(highlight=False, width=120)


async def run(options: argparse.Namespace) -> tuple[list[Result], list[Caught]]:
    """Play what was asked for on one ground."""
    words = [word.lower() for word in options.only]
    faults = [fault for fault in FAULTS if _wanted(fault.name, fault.group, words)]
    controls = [c for c in CONTROLS if _wanted(c.name, "control", words)]
    results: list[Result] = []
    caught: list[Caught] = []
    began_s = time.monotonic()

    async def note() -> None:
        if not (options.no_report or options.only):
            took_s = time.monotonic() - began_s
            how = f"`make faults{' ARGS=--short' if options.short else ''}`"
            await asyncio.to_thread(
                report.write, options.out, results, caught, options.seed, took_s, how
            )

    async with open_ground() as ground:
        for number, fault in enumerate(faults, 1):
            _OUT.print(f"[dim]{number}/{len(faults)}[/] {fault.name} ..", end=" ")
            result = await _play(ground, fault, options)
            results.append(result)
            _OUT.print(_line(result))
            await note()
        for one in controls:
            _OUT.print(f"without {one.name} ..", end=" ")
            seen = await control(ground, one, options.seed, short=options.short)
            caught.append(seen)
            colour = "green" if seen.caught else "red"
            _OUT.print(f"[{colour}]{seen.broken or 'nothing was seen'}[/]")
            await note()
    return results, caught


async def _play(ground: Ground, fault: Fault, options: argparse.Namespace) -> Result:
    """A scenario that stumbles is a row of the report as well, and not its end."""
    try:
        return await play(ground, fault, options.seed, short=options.short)
    except Exception as error:
        await ground.heal()
        await ground.whole()
        said = f"{type(error).__name__}: {str(error)[:200]}"
        return Result(
            fault.name, fault.group, options.seed, Findings(), 0, 0, 0, None, True, {},
            0, said,
        )  # fmt: skip


def _wanted(name: str, group: str, words: list[str]) -> bool:
    return not words or any(w in name.lower() or w == group.lower() for w in words)


def _line(result: Result) -> str:
    found = result.findings
    colour = "green" if result.good else "red"
    wrong = "" if result.good else f" {found.broken}"
    wrong += "" if result.served else " not served afterwards"
    wrong += "" if result.converged else f" screens did not converge {result.apart}"
    wrong += f" {result.stumbled}" if result.stumbled else ""
    wrong += "".join(f"\n    {line}" for line in [*found.examples, *found.astray[:3]])
    return (
        f"[{colour}]{found.acknowledged} acknowledged, {found.lost} lost, "
        f"{found.doubled + found.crowded} doubled[/], {found.amber} amber, "
        f"{found.unknown} unknown, silence {result.silence_s:.2f} s, "
        f"late {result.late_s:.2f} s, "
        f"gap {result.gap_s:.2f} s, {result.seconds:.0f} s[{colour}]{wrong}[/]"
    )


def main() -> int:
    """Parse, play, report."""
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument("--only", action="append", default=[], metavar="WORD")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--no-report", action="store_true")
    options = parser.parse_args()
    began_s = time.monotonic()
    results, caught = asyncio.run(run(options))
    took_s = time.monotonic() - began_s
    good = all(r.good for r in results) and all(c.caught for c in caught)
    _OUT.print(
        f"{len(results)} faults, {len(caught)} controls in {took_s:.0f} s: "
        + ("[green]every promise was kept[/]" if good else "[red]broken[/]")
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
