"""The short simulation of the gate, and its negative controls: a guard off is seen."""

from __future__ import annotations

from functools import cache

import pytest

from tests.sim.checks import problems, residue
from tests.sim.record import Guards
from tests.sim.world import World

SEEDS = 300
RESIDUE_MAX = 0.01
"""Evenings in which a guest came in beside another, reported in conflicts."""


@cache
def evenings(seeds: range, guards: Guards) -> tuple[dict[int, list[str]], int]:
    found, reported = {}, 0
    for seed in seeds:
        world = World(seed, guards)
        world.run()
        reported += bool(residue(world))
        wrong = problems(world)
        if wrong:
            found[seed] = wrong
    return found, reported


def test_every_invariant_holds() -> None:
    """A failure names its seed: `python -m tests.sim --trace SEED` replays it."""
    found, reported = evenings(range(SEEDS), Guards())
    assert found == {}
    assert reported <= SEEDS * RESIDUE_MAX


def test_the_same_seed_is_the_same_evening() -> None:
    first, second = World(7), World(7)
    first.run()
    second.run()
    told = [
        [(one.scan_id, one.verdict, one.reason) for one in world.history]
        for world in (first, second)
    ]
    assert told[0] == told[1]
    assert first.record.rows == second.record.rows


@pytest.mark.parametrize(
    ("guard", "checker"),
    [
        ("key", "one_row_a_place"),
        ("journal", "no_green_is_lost"),
        ("idempotency", "one_answer_a_scan"),
    ],
)
def test_without(guard: str, checker: str) -> None:
    """The negative controls: with a guard off a checker reports, within few seeds."""
    found, _ = evenings(range(60), Guards(**{guard: False}))
    told = [text for wrong in found.values() for text in wrong]
    assert any(text.startswith(checker) for text in told)


@pytest.mark.parametrize("guard", ["fence", "epoch", "look"])
def test_without_one_of_three(guard: str) -> None:
    """Fence, epoch and the look at the journals hold the same promise together.

    With one gone more guests come in beside others; the record still tells of each.
    """
    seeds = range(SEEDS)
    _, with_it = evenings(seeds, Guards())
    _, without = evenings(seeds, Guards(**{guard: False}))
    assert without > with_it
