"""Limits: how much a bucket gives, and that doors never come near."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ops.auth.limiter import (
    GUESTS_BY_ADDRESS,
    LOGIN_BY_ADDRESS,
    PAIR_BY_ADDRESS,
    SCANS_BY_DEVICE,
    LocalLimiter,
    Rule,
    refill,
)
from ops.clock import FixedClock

START = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


@given(
    st.lists(st.floats(0, 5), min_size=1, max_size=60),
    st.integers(1, 20),
    st.floats(0.1, 50),
)
def test_never_more_than_the_burst_and_what_flowed_in(
    pauses_s: list[float], burst: int, per_second: float
) -> None:
    rule = Rule("test", per_second, burst)
    now_s = full_at_s = 0.0
    taken = 0
    for pause_s in pauses_s:
        now_s += pause_s
        full_at_s, wait_s = refill(full_at_s, now_s, rule, 1)
        if wait_s == 0:
            taken += 1
        else:
            # Whoever waits as long as told is let through.
            assert refill(full_at_s, now_s + wait_s + 1e-6, rule, 1)[1] == 0
    assert taken <= burst + per_second * sum(pauses_s[1:]) + 1e-6


def test_a_refusal_takes_nothing() -> None:
    rule = Rule("test", 1, 3)
    full_at_s, wait_s = refill(0, 0, rule, 4)
    assert (full_at_s, wait_s) == (0, 1)
    assert refill(full_at_s, 0, rule, 3)[1] == 0


def test_a_clock_that_was_set_back_locks_nobody_out() -> None:
    rule = Rule("test", 1, 3)
    assert refill(1_000_000.0, 0, rule, 1)[1] <= 3


def test_a_device_may_scan_twenty_times_a_second_for_an_evening() -> None:
    clock = FixedClock(START)
    limiter = LocalLimiter(clock)
    for n in range(20 * 60):
        clock.move(START + timedelta(seconds=n / 20))
        assert limiter.wait_s(SCANS_BY_DEVICE, "device") == 0


def test_ten_thousand_guests_arrive_on_one_wifi() -> None:
    limiter = LocalLimiter(FixedClock(START))
    assert not any(limiter.wait_s(GUESTS_BY_ADDRESS, "wifi") for _ in range(10_000))
    assert not any(limiter.wait_s(PAIR_BY_ADDRESS, "wifi") for _ in range(200))
    assert not any(limiter.wait_s(LOGIN_BY_ADDRESS, "wifi") for _ in range(200))


def test_a_process_keeps_a_bounded_number_of_buckets() -> None:
    limiter = LocalLimiter(FixedClock(START), buckets_max=10)
    rule = Rule("test", 0.001, 1)
    for n in range(100):
        limiter.wait_s(rule, str(n))
    assert len(limiter._full_at_s) == 10
    assert limiter.wait_s(rule, "99") > 0
    assert limiter.wait_s(rule, "0") == 0
