"""What a run may take, and the verdict on what it took. Pure.

Times are for the two cores that everything shares here: stores, roles and locust. A
failed request has no budget at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec


class Budget(msgspec.Struct, frozen=True):
    """Milliseconds within which half, and 99 of 100, must be."""

    p50_ms: float
    p99_ms: float
    at_least: int = 1
    """Fewer than this and the scenario did not really run."""


BUDGETS = {
    "scan": Budget(60, 500, at_least=100),
    "socket: hello to snapshot": Budget(250, 2000),
    "socket: silence before a frame": Budget(1000, 10_500),
}


class Line(msgspec.Struct, frozen=True):
    """One row of the verdict."""

    name: str
    count: int
    failures: int
    p50_ms: float
    p99_ms: float
    budget: Budget | None

    @property
    def kept(self) -> bool:
        """Whether nothing failed and the times are within the budget."""
        if self.failures:
            return False
        if self.budget is None:
            return True
        return (
            self.count >= self.budget.at_least
            and self.p50_ms <= self.budget.p50_ms
            and self.p99_ms <= self.budget.p99_ms
        )


def quantile_ms(times: dict[str, int], part: float) -> float:
    """A quantile of locust's histogram (milliseconds -> how many)."""
    ordered = sorted((float(ms), count) for ms, count in times.items())
    wanted = sum(count for _, count in ordered) * part
    seen = 0
    for ms, count in ordered:
        seen += count
        if seen >= wanted:
            return ms
    return 0.0


def judge(stats: Iterable[dict[str, Any]]) -> list[Line]:
    """The lines of locust's `--json`; a scenario that is missing is a line of zeros."""
    lines = {
        row["name"]: Line(
            row["name"],
            row["num_requests"],
            row["num_failures"],
            quantile_ms(row["response_times"], 0.50),
            quantile_ms(row["response_times"], 0.99),
            BUDGETS.get(row["name"]),
        )
        for row in stats
    }
    for name, budget in BUDGETS.items():
        lines.setdefault(name, Line(name, 0, 0, 0.0, 0.0, budget))
    return [lines[name] for name in sorted(lines)]
