"""`make sim`: evenings by seed, with a bar; the first seed of each problem is printed.

python -m tests.sim [--seeds N] [--from SEED] [--without GUARD] [--trace SEED]
                    [--only FAULT,..] [--until-s SECONDS]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.sim.checks import problems
from tests.sim.guards import Guards
from tests.sim.world import World

BAR = 30
EVERY = 50


def main() -> int:
    """The number of evenings with a problem, as an exit code of 0 or 1."""
    parser = argparse.ArgumentParser(prog="make sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--without", default="", help="guards to switch off")
    parser.add_argument("--only", default="", help="faults, instead of all")
    parser.add_argument("--until-s", type=float, default=float("inf"))
    parser.add_argument("--trace", type=int, help="replay one seed and tell it")
    chosen = parser.parse_args()
    off = {name: False for name in chosen.without.split(",") if name}
    only = tuple(name for name in chosen.only.split(",") if name)
    if chosen.trace is None:
        seeds = range(chosen.first, chosen.first + chosen.seeds)
        return many(seeds, Guards(**off), only, chosen.until_s)
    world = World(chosen.trace, Guards(**off), trace=True, only=only)
    world.run()
    found = problems(world)
    for promise, what in found.items():
        print(f"{promise}: {'; '.join(what)}")
    print("" if found else "every promise is kept")
    return int(bool(found))


def many(seeds: range, guards: Guards, only: tuple[str, ...], until_s: float) -> int:
    """Play seeds one by one, for so long at most."""
    started_s, spent_s = time.monotonic(), time.process_time()
    found: Counter[str] = Counter()
    example: dict[str, list[int]] = {}
    faults: Counter[str] = Counter()
    answers = done = 0
    for done, seed in enumerate(seeds, 1):
        world = World(seed, guards, only=only)
        world.run()
        answers += len(world.history)
        faults.update(world.faults)
        for promise in problems(world):
            found[promise] += 1
            example.setdefault(promise, []).append(seed)
        if done % EVERY == 0 or done == len(seeds):
            full = BAR * done // len(seeds)
            bar = "#" * full + "." * (BAR - full)
            print(f"\r[{bar}] {done}/{len(seeds)}", end="", file=sys.stderr, flush=True)
            if time.monotonic() - started_s > until_s:
                break
    print(file=sys.stderr)
    seconds = time.process_time() - spent_s
    print(
        f"{done} evenings from seed {seeds.start}, {answers} answers,"
        f" {faults.total()} faults, {done / seconds:.0f} evenings a second of CPU"
    )
    for kind, times in faults.most_common():
        print(f"  {kind}: {times}")
    for promise, evenings in found.most_common():
        print(f"{promise}: {evenings} evenings; replay: --trace {example[promise][:5]}")
    print("" if found else "every promise is kept")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
