"""The short simulation of the gate, and its negative controls: a guard off is seen."""

from __future__ import annotations

import time
from itertools import count

import pytest

from tests.sim.checks import alike, problems
from tests.sim.guards import Guards
from tests.sim.world import World

SEEDS = 2_000
SEEDS_MIN = 150
WITHIN_S = 60.0
"""As many of the seeds as fit; `make sim` plays more."""
TRACED = (
    *(5057, 6911, 8619, 9617, 9887, 10182, 11667, 11801, 13343, 14595),
    *(21937, 22079, 23411, 27586, 32707, 33532, 34019, 34195, 53385, 71486, 90892),
)
"""docs/subsystems/simulation.md says of what."""
CONTROL_SEEDS = 400
"""A control ends with the first seed that shows the harm; most need a few."""
CROSSING = ("db",)
"""Faults of one process's link, with copies at both: for what keeps two doors apart."""


def test_every_promise_is_kept() -> None:
    """A failure names its seed: `python -m tests.sim --trace SEED` replays it."""
    until_s = time.monotonic() + WITHIN_S
    played = 0
    for seed in range(SEEDS):
        if time.monotonic() > until_s and played >= SEEDS_MIN:
            break
        world = World(seed)
        world.run()
        assert (seed, problems(world)) == (seed, {})
        played += 1
    assert played >= SEEDS_MIN


@pytest.mark.parametrize("seed", TRACED)
def test_what_went_wrong_once_does_not_again(seed: int) -> None:
    """An evening a cause; each broke its promise before the cause was mended."""
    world = World(seed)
    world.run()
    assert problems(world) == {}


def test_no_outcome_hangs_on_a_clock() -> None:
    """I12: the same evening, with clocks hours apart and without, ends alike."""
    told = 0
    for seed in range(120):
        worlds = World(seed), World(seed, clocks=False)
        for world in worlds:
            world.run()
        told += "clock" in worlds[0].faults
        assert (seed, alike(*worlds)) == (seed, [])
    assert told > 20, "nobody's clock was wrong"


def test_the_same_seed_is_the_same_evening() -> None:
    first, second = World(7), World(7)
    for world in (first, second):
        world.run()
    assert first.history == second.history
    assert alike(first, second) == []


CONTROLS = {
    "key": ("I1", ()),
    "version": ("I9", ()),
    "limits": ("I7", ()),
    "facts": ("I10", ()),
    "logs": ("I11", ()),
    "idempotency": ("I4", ()),
    "amber": ("I5", ()),
    "journal": ("I2", ()),
    "answered": ("I2", ()),
    "drain": ("I6", ()),
    "look": ("I3", ()),
    "fence": ("I3", CROSSING),
    "epoch": ("I3", CROSSING),
    "report": ("I3r", CROSSING),
    "ends": ("I2 exits", ()),
}
"""The guard that is taken away, the promise that breaks, the faults that need it."""


@pytest.mark.parametrize("guard", CONTROLS)
def test_without(guard: str) -> None:
    """The negative controls: with a guard off its own checker reports, soon."""
    promise, only = CONTROLS[guard]
    for seed in count():
        assert seed < CONTROL_SEEDS, f"nobody misses {guard}"
        world = World(seed, Guards(**{guard: False}), only=only)
        world.run()
        if promise in problems(world):
            return


def test_without_clocks_of_no_account() -> None:
    """The control of I12: where the later clock wins, evenings differ."""
    off = Guards(clocks=False)
    for seed in range(CONTROL_SEEDS):
        worlds = World(seed, off), World(seed, off, clocks=False)
        for world in worlds:
            world.run()
        if alike(*worlds):
            return
    raise AssertionError("nobody misses it")
