"""`make sim`: evenings by seed, with a bar; the first seed of each problem is printed.

python -m tests.sim [--seeds N] [--from SEED] [--without GUARD] [--trace SEED]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.sim.checks import problems, residue
from tests.sim.record import Guards
from tests.sim.world import World

BAR = 30


def main() -> int:
    """The number of evenings with a problem, as an exit code of 0 or 1."""
    parser = argparse.ArgumentParser(prog="make sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--without", default="", help="a guard to switch off")
    parser.add_argument("--trace", type=int, help="replay one seed and tell it")
    chosen = parser.parse_args()
    off = {name: False for name in chosen.without.split(",") if name}
    guards = Guards(**off)
    if chosen.trace is not None:
        world = World(chosen.trace, guards, trace=True)
        world.run()
        print("\n".join(problems(world) + residue(world)) or "every invariant holds")
        return int(bool(problems(world)))
    return many(chosen.first, chosen.seeds, guards)


def many(first: int, count: int, guards: Guards) -> int:
    """Run seeds one by one."""
    started_s = time.monotonic()
    found: Counter[str] = Counter()
    example: dict[str, int] = {}
    reported = answers = 0
    for done, seed in enumerate(range(first, first + count), 1):
        world = World(seed, guards)
        world.run()
        answers += len(world.history)
        reported += bool(residue(world))
        for name in {text.split(":")[0] for text in problems(world)}:
            found[name] += 1
            example.setdefault(name, seed)
        if done % 50 == 0 or done == count:
            full = BAR * done // count
            bar = "#" * full + "." * (BAR - full)
            print(f"\r[{bar}] {done}/{count}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    seconds = time.monotonic() - started_s
    print(f"{count} evenings, {answers} answers, {seconds:.0f} s")
    print(f"entered twice and reported in conflicts: {reported} evenings")
    for name, evenings in found.most_common():
        print(f"{name}: {evenings} evenings; replay: --trace {example[name]}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
