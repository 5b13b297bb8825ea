"""When people come: a curve of past evenings, fitted to the scans so far. Pure.

The model: of N people the share F((t - shift) / stretch) has come by minute t after the
doors. N is not known (a Gamma around what is expected), nor are shift and stretch (a
grid, likelier near none). What came so far weighs the grid; N then has a closed form,
so a fit is some thousand additions. People come in groups, not one by one, so `CLUMP`
people count as one observation: bands are wider than pure chance would have them.
Minutes are since the doors open, floats; shares are 0 to 1.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import msgspec

CLUMP = 6.0
SPREAD = 0.15
"""How far the number of people may be from what is expected (standard deviation)."""
SHIFT_SPREAD = 0.12
"""Of the curve's length."""
STRETCH_SPREAD = 0.2
LOW, MID, HIGH = 0.1, 0.5, 0.9
KEPT_WEIGHT = 0.01
SHAPES_MAX = 48
SHARE_MIN = 1e-6
POINTS = 48
ETAS = (50, 90, 95)

_NORMAL = NormalDist()


class Curve(msgspec.Struct, frozen=True):
    """The share of people who have come by each minute; both lists rise."""

    minutes: tuple[float, ...]
    shares: tuple[float, ...]

    def at(self, minute: float) -> float:
        """The share at a minute: straight lines between the points."""
        index = bisect_right(self.minutes, minute)
        if index == 0:
            return 0.0
        if index == len(self.minutes):
            return 1.0
        low, high = self.minutes[index - 1], self.minutes[index]
        part = (minute - low) / (high - low)
        before, after = self.shares[index - 1], self.shares[index]
        return before + (after - before) * part

    def when(self, share: float) -> float:
        """The first minute at which this share has come."""
        for index in range(1, len(self.shares)):
            if self.shares[index] >= share:
                before, after = self.shares[index - 1], self.shares[index]
                part = (share - before) / (after - before) if after > before else 0.0
                low, high = self.minutes[index - 1], self.minutes[index]
                return low + (high - low) * max(0.0, part)
        return self.minutes[-1]

    @property
    def length(self) -> float:
        """From a twentieth to all but a twentieth."""
        return max(0.25, self.when(0.95) - self.when(0.05))


def default_curve(minutes_to_start: float) -> Curve:
    """How people come where no past evening tells: most in the last third before the
    beginning, a tenth late."""
    span = max(0.5, minutes_to_start)
    marks = (
        (0.0, 0.0),
        (0.25, 0.12),
        (0.5, 0.3),
        (0.75, 0.56),
        (1.0, 0.82),
        (1.25, 0.92),
        (1.75, 0.97),
        (3.0, 1.0),
    )
    return Curve(
        tuple(part * span for part, _ in marks), tuple(share for _, share in marks)
    )


def mean_curve(evenings: Sequence[Sequence[tuple[float, int]]]) -> Curve | None:
    """The mean of past evenings, each (minute, people) in order; None without any."""
    known = [one for one in evenings if sum(people for _, people in one) > 0]
    if not known:
        return None
    first = min(one[0][0] for one in known)
    last = max(one[-1][0] for one in known) + 1.0
    steps = 60
    grid = [first + (last - first) * step / steps for step in range(steps + 1)]
    sums = [0.0] * len(grid)
    for one in known:
        total, came, index = sum(people for _, people in one), 0, 0
        for place, minute in enumerate(grid):
            while index < len(one) and one[index][0] < minute:
                came += one[index][1]
                index += 1
            sums[place] += came / total
    return Curve(tuple(grid), tuple(value / len(known) for value in sums))


class Shape(NamedTuple):
    """One way in which the evening may go, and how likely it is."""

    weight: float
    shift: float
    stretch: float
    came: float
    rate: float
    """People expected for the whole, per share of 1."""
    inverse: float
    """The uncertainty of that: 1 / (prior + share so far)."""


class Fit(msgspec.Struct, frozen=True):
    """What is known of the rest of an evening at one moment."""

    curve: Curve
    now: float
    entered: int
    shapes: tuple[Shape, ...]

    def share(self, shape: Shape, minute: float) -> float:
        """The share that has come by a minute in one way of going."""
        return _share(self.curve, shape.shift, shape.stretch, minute)

    def quantiles(self, minute: float) -> tuple[float, float, float]:
        """People who have come by a minute: low, middle, high (10, 50, 90 %)."""
        if minute <= self.now:
            return (float(self.entered),) * 3
        parts = []
        for shape in self.shapes:
            more = max(0.0, self.share(shape, minute) - shape.came)
            mean = shape.rate * more
            variance = CLUMP * mean * (1 + more * shape.inverse)
            parts.append((shape.weight, mean, math.sqrt(max(variance, 1e-9))))
        low, mid, high = (_quantile(parts, level) for level in (LOW, MID, HIGH))
        return self.entered + low, self.entered + mid, self.entered + high

    @property
    def horizon(self) -> float:
        """The minute after which (nearly) nobody comes any more."""
        latest = max(s.shift + s.stretch * self.curve.minutes[-1] for s in self.shapes)
        return max(self.now + 1.0, latest)


def _share(curve: Curve, shift: float, stretch: float, minute: float) -> float:
    return curve.at((minute - shift) / stretch)


def _quantile(parts: list[tuple[float, float, float]], level: float) -> float:
    """The level of a mixture of normals, not below zero."""
    low = 0.0
    high = max(mean + 5 * spread for _, mean, spread in parts)
    for _ in range(26):
        middle = (low + high) / 2
        under = sum(
            weight * _NORMAL.cdf((middle - mean) / spread)
            for weight, mean, spread in parts
        )
        low, high = (middle, high) if under < level else (low, middle)
    return (low + high) / 2


def fit(
    curve: Curve, expected: float, minutes: Sequence[tuple[float, int]], now: float
) -> Fit:
    """Fit the curve to what came.

    Args:
        expected: people, before anybody came; at least 1 is taken.
        minutes: (minute, people) so far, in order, each minute by its begin.
        now: the minute it is.
    """
    evidence = _Evidence(
        curve,
        1 / SPREAD**2,
        CLUMP / SPREAD**2 / max(1.0, expected),
        sum(people for _, people in minutes),
        _bins(minutes, now, curve.length),
        now,
    )
    coarse = evidence.grid(0.0, 0.0, 0.04, 0.08)
    best = max(coarse, key=lambda shape: shape.weight)
    # A late evening is known to the minute: the grid around it is made as fine.
    spread = _widths(_likely(coarse))
    across, along = best.shift / curve.length, math.log(best.stretch)
    fine = evidence.grid(
        across,
        along,
        min(0.04, max(0.004, spread[0] / curve.length / 3)),
        min(0.08, max(0.01, spread[1] / 3)),
    )
    return Fit(curve, now, evidence.came, tuple(_likely(fine)))


class _Evidence(NamedTuple):
    """What came, and what was expected before: a Gamma of this mass and rate."""

    curve: Curve
    mass: float
    rate: float
    came: int
    bins: list[tuple[float, float, int]]
    now: float

    def grid(
        self, across: float, along: float, step_across: float, step_along: float
    ) -> list[Shape]:
        """Ways of going around one: shift in lengths of the curve, ln of stretch."""
        return [
            self._shape(across + n * step_across, along + m * step_along)
            for n in range(-10, 11)
            for m in range(-6, 7)
        ]

    def _shape(self, across: float, along: float) -> Shape:
        curve, shift, stretch = self.curve, across * self.curve.length, math.exp(along)
        came = _share(curve, shift, stretch, self.now)
        far = (across / SHIFT_SPREAD) ** 2 + (along / STRETCH_SPREAD) ** 2
        weight = -far / 2
        for begin, end, people in self.bins:
            share = _share(curve, shift, stretch, end)
            share -= _share(curve, shift, stretch, begin)
            weight += people / CLUMP * math.log(max(share, SHARE_MIN))
        mass = self.mass + self.came / CLUMP
        weight -= mass * math.log(self.rate + came)
        rate = CLUMP * mass / (self.rate + came)
        return Shape(weight, shift, stretch, came, rate, 1 / (self.rate + came))


def _likely(shapes: list[Shape]) -> list[Shape]:
    """Those that are not out of the question, their weights adding up to 1."""
    best = max(shape.weight for shape in shapes)
    scaled = [one._replace(weight=math.exp(one.weight - best)) for one in shapes]
    scaled.sort(key=lambda one: one.weight, reverse=True)
    kept = [one for one in scaled[:SHAPES_MAX] if one.weight > KEPT_WEIGHT]
    whole = sum(one.weight for one in kept)
    return [one._replace(weight=one.weight / whole) for one in kept]


def _widths(shapes: list[Shape]) -> tuple[float, float]:
    """How far shift and ln of stretch spread (standard deviations)."""

    def spread(values: list[tuple[float, float]]) -> float:
        mean = sum(weight * value for weight, value in values)
        return math.sqrt(sum(weight * (value - mean) ** 2 for weight, value in values))

    return (
        spread([(one.weight, one.shift) for one in shapes]),
        spread([(one.weight, math.log(one.stretch)) for one in shapes]),
    )


def _bins(
    minutes: Sequence[tuple[float, int]], now: float, length: float
) -> list[tuple[float, float, int]]:
    """What came, in about thirty stretches of time up to now; empty ones count too."""
    if not minutes or now <= 0:
        return []
    begin = min(minutes[0][0], 0.0)
    width = max(1.0, length / 20, (now - begin) / 40)
    count = max(1, math.ceil((now - begin) / width))
    people = [0] * count
    for minute, came in minutes:
        people[min(count - 1, max(0, int((minute - begin) / width)))] += came
    return [
        (begin + place * width, min(now, begin + (place + 1) * width), came)
        for place, came in enumerate(people)
    ]


class Eta(msgspec.Struct, frozen=True):
    """When a share of all has come: minutes; `reached` is in the past."""

    percent: int
    minute: float | None
    low: float | None
    high: float | None
    reached: bool


class Point(NamedTuple):
    """The band at one minute, in people."""

    minute: float
    low: float
    mid: float
    high: float


def band(fitted: Fit) -> list[Point]:
    """The band from now to the horizon."""
    step = (fitted.horizon - fitted.now) / POINTS
    return [
        Point(minute, *fitted.quantiles(minute))
        for minute in (fitted.now + step * place for place in range(POINTS + 1))
    ]


def _crosses(points: Sequence[Point], column: int, people: float) -> float | None:
    """The first minute at which a line of the band has reached so many."""
    before = points[0]
    for point in points:
        if point[column] >= people:
            rise = point[column] - before[column]
            if point is before or rise <= 0:
                return point.minute
            part = (people - before[column]) / rise
            return before.minute + (point.minute - before.minute) * part
        before = point
    return None


def etas(
    fitted: Fit, points: Sequence[Point], minutes: Sequence[tuple[float, int]]
) -> list[Eta]:
    """When half, nine tenths and nineteen twentieths of all have come."""
    total, found = points[-1].mid, []
    for percent in ETAS:
        people = total * percent / 100
        if fitted.entered >= people and fitted.entered > 0:
            at, came = fitted.now, 0
            for minute, number in minutes:
                came += number
                if came >= people:
                    at = minute
                    break
            found.append(Eta(percent, at, at, at, True))
            continue
        mid = _crosses(points, 2, people)
        early = _crosses(points, 3, people)
        late = _crosses(points, 1, people)
        found.append(Eta(percent, mid, early, late, False))
    return found


def full(
    points: Sequence[Point], entered: int, inside: int, capacity: int, leaving: float
) -> tuple[float | None, float | None, float | None]:
    """When a place is full: (middle, earliest, latest) minutes; None: not this evening.

    Args:
        leaving: people who leave a minute, as they did lately.
    """
    now = points[0].minute
    net = [
        Point(
            point.minute,
            *(
                inside + people - entered - leaving * (point.minute - now)
                for people in point[1:]
            ),
        )
        for point in points
    ]
    return (
        _crosses(net, 2, capacity),
        _crosses(net, 3, capacity),
        _crosses(net, 1, capacity),
    )
