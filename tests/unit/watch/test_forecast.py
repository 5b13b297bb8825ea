"""The forecast: what must always hold, and how often it is right."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.watch.forecast import (
    Curve,
    Eta,
    Point,
    band,
    default_curve,
    etas,
    fit,
    full,
    mean_curve,
)

CURVE = default_curve(90)


def evening(
    seed: int, people: int, shift: float = 0.0, stretch: float = 1.0
) -> list[tuple[float, int]]:
    """People by minute who come by the curve, in groups of one to four."""
    random_ = random.Random(seed)
    minutes: dict[int, int] = {}
    came = 0
    while came < people:
        group = min(random_.choice((1, 1, 2, 2, 3, 4)), people - came)
        minute = int(shift + stretch * CURVE.when(random_.random()))
        minutes[minute] = minutes.get(minute, 0) + group
        came += group
    return sorted((float(minute), number) for minute, number in minutes.items())


def until(minutes: list[tuple[float, int]], now: float) -> list[tuple[float, int]]:
    return [(minute, people) for minute, people in minutes if minute < now]


@pytest.mark.parametrize(
    ("people", "shift", "stretch"),
    [(1000, 0, 1), (800, 0, 1), (1000, 20, 1), (1000, -10, 1.2), (1150, 10, 0.85)],
)
def test_the_later_the_surer_how_many_will_come(
    people: int, shift: float, stretch: float
) -> None:
    minutes = evening(7, people, shift, stretch)
    spans = []
    for share, near in ((0.5, 0.3), (0.7, 0.25), (0.85, 0.06)):
        now = shift + stretch * CURVE.when(share)
        _, low, mid, high = band(fit(CURVE, 1000, until(minutes, now), now))[-1]
        assert abs(mid / people - 1) < near
        assert low * 0.9 <= people <= high * 1.1
        spans.append(high - low)
    assert spans[2] < 0.6 * spans[0]


def hits(refitted: bool) -> int:
    """Of 40 evenings that go in other ways than expected: in how many the count of half
    an hour later lay in the band."""
    right = 0
    for seed in range(40):
        random_ = random.Random(seed)
        shift, stretch = random_.gauss(0, 12), math.exp(random_.gauss(0, 0.15))
        people = int(1000 * random_.uniform(0.8, 1.2))
        minutes = evening(seed, people, shift, stretch)
        now = CURVE.when(0.3)
        seen = until(minutes, now) if refitted else []
        fitted = fit(CURVE, 1000, seen, now if refitted else 0.0)
        low, _, high = fitted.quantiles(now + 30)
        truth = sum(number for _, number in until(minutes, now + 30))
        right += low <= truth <= high
    return right


def width(refitted: bool) -> float:
    """How wide the band of half an hour later is, in people."""
    minutes, now = evening(3, 1000), CURVE.when(0.3)
    seen = until(minutes, now) if refitted else []
    fitted = fit(CURVE, 1000, seen, now if refitted else 0.0)
    low, _, high = fitted.quantiles(now + 30)
    return high - low


def test_the_band_holds_as_often_as_it_says() -> None:
    """Eight of ten; and what came narrows it (control: nothing is taken from it)."""
    assert hits(True) >= 26
    assert width(True) < 0.75 * width(False)


def test_a_forecast_that_does_not_look_is_wrong_about_a_late_evening() -> None:
    """Negative control: half an hour late, the curve alone promises too many."""
    minutes = evening(5, 1000, shift=30)
    now = CURVE.when(0.3)
    seen = until(minutes, now)
    truth = sum(number for _, number in until(minutes, now + 30))
    looked = fit(CURVE, 1000, seen, now).quantiles(now + 30)[1]
    alone = 1000 * CURVE.at(now + 30)
    assert abs(looked - truth) < 0.5 * abs(alone - truth)


curves = st.floats(5, 600).map(default_curve)
comings = st.lists(
    st.tuples(st.floats(-60, 500), st.integers(0, 400)), max_size=30
).map(sorted)


@settings(max_examples=60, deadline=None)
@given(
    curve=curves,
    expected=st.floats(0, 50_000),
    minutes=comings,
    now=st.floats(-30, 700),
)
def test_what_always_holds(
    curve: Curve, expected: float, minutes: list[tuple[float, int]], now: float
) -> None:
    seen = until(minutes, now)
    entered = sum(people for _, people in seen)
    fitted = fit(curve, expected, seen, now)
    points = band(fitted)
    assert sum(shape.weight for shape in fitted.shapes) == pytest.approx(1)
    for point in points:
        assert entered <= point.low + 1e-6
        assert point.low <= point.mid + 1e-3 <= point.high + 2e-3
    for before, after in pairwise(points):
        # A mixture's quantiles are found to a millionth of their range.
        slack = 1e-3 * (1 + after.high)
        assert after.mid >= before.mid - slack
    found = etas(fitted, points, seen)
    assert [eta.percent for eta in found] == [50, 90, 95]
    known = [eta for eta in found if eta.minute is not None]
    for earlier, later in pairwise(known):
        assert earlier.minute <= later.minute + 1e-6  # type: ignore[operator]
    for eta in known:
        if eta.low is not None and not eta.reached:
            assert eta.low <= eta.minute + 1e-6  # type: ignore[operator]


def test_what_was_reached_says_when() -> None:
    minutes = evening(1, 1000)
    now = CURVE.when(0.97)
    fitted = fit(CURVE, 1000, until(minutes, now), now)
    half, ninety, _ = etas(fitted, band(fitted), until(minutes, now))
    assert half.reached
    assert ninety.reached
    assert half.minute == pytest.approx(CURVE.when(0.5), abs=6)


def test_nobody_expected_and_nobody_came() -> None:
    fitted = fit(CURVE, 0, [], 0.0)
    points = band(fitted)
    assert points[-1].mid < 3
    assert all(isinstance(eta, Eta) for eta in etas(fitted, points, []))


def test_when_it_is_full() -> None:
    points = [
        Point(0, 100, 100, 100),
        Point(10, 180, 200, 220),
        Point(20, 190, 300, 330),
    ]
    mid, early, late = full(points, 100, 90, 190, 0.0)
    assert mid == pytest.approx(10)
    assert early is not None
    assert early < 10
    assert late is None
    # Those who leave make room.
    assert full(points, 100, 90, 190, 5.0)[0] == pytest.approx(15 + 5 / 3, abs=4)
    assert full(points, 100, 190, 190, 0.0)[0] == 0


def test_the_mean_of_past_evenings() -> None:
    early = [(0.0, 50), (10.0, 50)]
    late = [(0.0, 10), (10.0, 90)]
    curve = mean_curve([early, late, []])
    assert curve is not None
    assert curve.at(5.0) == pytest.approx(0.3, abs=0.02)
    assert curve.at(30) == 1.0
    assert mean_curve([[], [(3.0, 0)]]) is None
