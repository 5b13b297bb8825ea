"""Waits by their basis, against a queue that is played person by person."""

from __future__ import annotations

import heapq
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.watch.queues import (
    REPORTED,
    SERVICE_DEFAULT_S,
    GateLoad,
    erlang_c,
    estimate,
    lanes_for,
    waits_s,
)

LIMIT_S = 300.0


def played(lanes: int, per_s: float, service_s: float, seed: int) -> list[float]:
    """The waits of 20,000 people who come and are served by chance."""
    random_ = random.Random(seed)
    free = [0.0] * lanes
    now, waits = 0.0, []
    for _ in range(20_000):
        now += random_.expovariate(per_s)
        start = max(now, heapq.heappop(free))
        waits.append(start - now)
        heapq.heappush(free, start + random_.expovariate(1 / service_s))
    return waits[2_000:]


@pytest.mark.parametrize(("lanes", "busy"), [(1, 0.5), (2, 0.8), (4, 0.85), (8, 0.9)])
def test_the_formula_is_what_people_wait(lanes: int, busy: float) -> None:
    service_s = 5.0
    per_s = busy * lanes / service_s
    waits = sorted(played(lanes, per_s, service_s, 11))
    mean, nine = waits_s(lanes, per_s, service_s)
    assert sum(waits) / len(waits) == pytest.approx(mean, rel=0.25)
    assert waits[int(len(waits) * 0.9)] == pytest.approx(nine, rel=0.25, abs=1.0)


def test_one_lane_waits_as_its_load() -> None:
    assert erlang_c(1, 0.7) == pytest.approx(0.7)


def test_a_busy_gate_does_not_pretend_to_know() -> None:
    """20 people and 260 look the same to the scans."""
    found = estimate(GateLoad(2, 24.0, 5.0, busy_min=3), LIMIT_S)
    assert found.basis == "growing"
    assert found.busy == 1.0
    assert (found.people_low, found.wait_s, found.wait_high_s) == (None, None, None)
    assert found.lanes_needed is not None
    assert found.lanes_needed > 2


def test_before_three_minutes_it_is_only_busy() -> None:
    found = estimate(GateLoad(2, 24.0, 5.0, busy_min=2), LIMIT_S)
    assert found.basis == "scans"
    assert found.wait_high_s is not None


@pytest.mark.parametrize("word", sorted(REPORTED))
def test_a_stewards_word_is_people(word: str) -> None:
    found = estimate(GateLoad(2, 24.0, 5.0, busy_min=9, report=word), LIMIT_S)
    assert found.basis == "report"
    assert (found.people_low, found.people_high) == REPORTED[word]
    # Two lanes, five seconds each: 24 people a minute.
    assert found.wait_high_s == pytest.approx(REPORTED[word][1] / 24 * 60)


def test_the_forecast_says_who_is_missing() -> None:
    found = estimate(GateLoad(2, 24.0, 5.0, busy_min=5, missing=100), LIMIT_S)
    assert found.basis == "forecast"
    assert (found.people_low, found.people_high) == (75, 125)
    assert found.wait_low_s < found.wait_s < found.wait_high_s  # type: ignore[operator]


def test_nobody_comes_and_nobody_waits() -> None:
    found = estimate(GateLoad(1, 0.0), LIMIT_S)
    assert (found.basis, found.wait_high_s, found.lanes_needed) == ("idle", 0.0, 0)
    assert found.service_s == SERVICE_DEFAULT_S


def test_lanes_before_the_rush() -> None:
    quiet = estimate(GateLoad(1, 3.0, 5.0), LIMIT_S)
    rush = estimate(GateLoad(1, 3.0, 5.0, coming_per_min=60), LIMIT_S)
    assert quiet.lanes_needed == 1
    assert rush.lanes_needed == 6  # five would be busy all the time, for ever


@given(
    per_min=st.floats(0, 300),
    service_s=st.floats(1, 60),
    limit_s=st.floats(30, 3600),
    queue=st.floats(0, 500),
)
def test_so_many_lanes_and_no_fewer(
    per_min: float, service_s: float, limit_s: float, queue: float
) -> None:
    lanes = lanes_for(per_min, service_s, limit_s, queue)
    if lanes is None:
        return
    _, nine = waits_s(lanes, per_min / 60, service_s)
    assert nine <= limit_s
    assert lanes >= per_min / 60 * service_s
    more = lanes_for(per_min * 1.2, service_s, limit_s, queue)
    assert more is None or more >= lanes
    harder = lanes_for(per_min, service_s, limit_s / 2, queue)
    assert harder is None or harder >= lanes


@given(
    lanes=st.integers(0, 20),
    per_min=st.floats(0, 400),
    service_s=st.one_of(st.none(), st.floats(0.5, 60)),
    busy_min=st.integers(0, 10),
    report=st.sampled_from([None, "none", "long", "nonsense"]),
    missing=st.one_of(st.none(), st.floats(-50, 900)),
)
def test_a_range_is_a_range(
    lanes: int,
    per_min: float,
    service_s: float | None,
    busy_min: int,
    report: str | None,
    missing: float | None,
) -> None:
    load = GateLoad(lanes, per_min, service_s, busy_min, report, missing)
    found = estimate(load, LIMIT_S)
    assert 0 <= found.busy <= 1
    if found.basis == "growing":
        assert found.wait_s is None
        return
    assert found.wait_low_s is not None
    assert found.wait_high_s is not None
    assert found.wait_s is not None
    assert 0 <= found.wait_low_s <= found.wait_high_s < float("inf")
    assert found.people_low <= found.people_high  # type: ignore[operator]
