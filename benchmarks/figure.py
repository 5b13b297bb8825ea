"""A figure: what was measured, beside what it is compared with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any, Literal

import msgspec

Bound = Literal["at least", "at most"]


class Target(msgspec.Struct, frozen=True):
    """What a ratio (or the value, without a baseline) should be."""

    bound: Bound
    limit: float

    def met_by(self, number: float) -> bool:
        """Whether a number is on the right side."""
        return (
            number >= self.limit if self.bound == "at least" else number <= self.limit
        )

    def __str__(self) -> str:
        return f"{'>=' if self.bound == 'at least' else '<='} {self.limit:g}"


class Figure(msgspec.Struct, frozen=True):
    """One line of the table.

    `ratio` is the median of the rounds' ratios, so that a slow minute of the machine
    falls on both sides; `spread` are its least and greatest.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    baseline_name: str = ""
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    target: Target | None = None
    details: dict[str, Any] = {}

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.target.met_by(self.value if self.ratio is None else self.ratio)


def paired(
    name: str,
    unit: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    baseline_name: str,
    target: Target | None = None,
    **details: Any,
) -> Figure:
    """The figure of rounds that were measured in turns."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return Figure(
        name,
        median(ours),
        unit,
        median(theirs),
        baseline_name,
        median(ratios),
        (min(ratios), max(ratios)),
        target,
        {"rounds": [list(ours), list(theirs)], **details},
    )
