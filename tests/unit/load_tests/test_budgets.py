"""The verdict of a load test."""

from __future__ import annotations

from typing import Any

import pytest

from load_tests.budgets import BUDGETS, judge, quantile_ms


def row(name: str, times: dict[str, int], failures: int = 0) -> dict[str, Any]:
    return {
        "name": name,
        "num_requests": sum(times.values()),
        "num_failures": failures,
        "response_times": times,
    }


def good() -> list[dict[str, Any]]:
    return [row(name, {"5": 500}) for name in BUDGETS]


def test_a_good_run_is_kept() -> None:
    assert all(line.kept for line in judge(good()))


def test_what_did_not_run_is_not_kept() -> None:
    lines = {line.name: line for line in judge([])}
    assert set(lines) == set(BUDGETS)
    assert not any(line.kept for line in lines.values())


@pytest.mark.parametrize(
    "bad",
    [
        row("scan", {"5": 500}, failures=1),
        row("scan", {"5": 400, "9000": 100}),
        row("scan", {"9000": 500}),
        row("scan", {"5": 3}),
    ],
)
def test_one_bad_line_is_seen(bad: dict[str, Any]) -> None:
    stats = [bad if one["name"] == "scan" else one for one in good()]
    assert [line.name for line in judge(stats) if not line.kept] == ["scan"]


def test_a_failure_of_something_without_a_budget_counts() -> None:
    lines = judge([*good(), row("other", {"1": 1}, failures=1)])
    assert [line.name for line in lines if not line.kept] == ["other"]


def test_quantiles_of_a_histogram() -> None:
    times = {"1": 50, "10": 40, "100": 9, "1000": 1}
    assert quantile_ms(times, 0.50) == 1
    assert quantile_ms(times, 0.90) == 10
    assert quantile_ms(times, 0.99) == 100
    assert quantile_ms(times, 1.0) == 1000
    assert quantile_ms({}, 0.5) == 0
