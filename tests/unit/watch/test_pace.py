"""The drop alarm of door.md, against chance."""

from __future__ import annotations

import itertools
import random

from ops.watch.pace import MINUTES, drop_percent, missed


def poisson(random_: random.Random, mean: float) -> int:
    """People of a minute, by the gaps between them."""
    people, at = 0, random_.expovariate(mean)
    while at < 1:
        people += 1
        at += random_.expovariate(mean)
    return people


def hour(seed: int, mean: float) -> list[int]:
    random_ = random.Random(seed)
    return [poisson(random_, mean) for _ in range(73)]


def alarms(minutes: list[int]) -> int:
    """How many minutes of an hour the rule would call a drop."""
    return sum(
        drop_percent(minutes[n : n + 13][::-1]) >= 20 for n in range(len(minutes) - 13)
    )


def minute_on_minute(minutes: list[int]) -> int:
    """The rule that it replaces: a fifth less than the minute before."""
    return sum(after < 0.8 * before for before, after in itertools.pairwise(minutes))


def test_chance_is_no_drop() -> None:
    """30 people a minute for twenty hours; the naive rule is the negative control."""
    hours = [hour(seed, 30) for seed in range(20)]
    assert sum(alarms(minutes) for minutes in hours) <= 10
    assert sum(minute_on_minute(minutes) for minutes in hours) > 200


def test_a_lane_less_is_a_drop() -> None:
    assert drop_percent([10, 10, 10] + [30] * 10) > 60
    assert drop_percent([20, 20, 20] + [30] * 10) > 20


def test_few_people_prove_nothing() -> None:
    assert drop_percent([0, 1, 1] + [2] * 10) == 0


def test_too_short_a_past_proves_nothing() -> None:
    assert drop_percent([0, 0, 0, 9, 9]) == 0


def test_silence_counts_who_was_expected() -> None:
    assert missed([0, 0] + [6] * 20) == 12
    assert missed([1, 0] + [6] * 20) == 0
    assert missed([0] * MINUTES) == 0
    # It does not forget the pace while it goes on.
    assert missed([0] * 20 + [6] * 20) == 120
