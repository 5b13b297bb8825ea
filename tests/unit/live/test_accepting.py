"""The bucket of handshakes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ops.live.accepting import Bucket


def test_a_burst_then_so_many_a_second() -> None:
    bucket = Bucket(10.0, 3.0)
    assert [bucket.take(100.0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert not bucket.take(100.05)
    assert bucket.take(100.15)
    assert not bucket.take(100.15)


def test_a_quiet_hour_saves_up_no_more_than_a_burst() -> None:
    bucket = Bucket(10.0, 3.0)
    assert sum(bucket.take(3_600.0) for _ in range(50)) == 3


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_never_more_than_rate_and_burst(pauses_s: list[float]) -> None:
    bucket, now_s, taken = Bucket(20.0, 5.0), 0.0, 0
    for pause_s in pauses_s:
        now_s += pause_s
        taken += bucket.take(now_s)
    assert taken <= 5 + 20 * now_s + 1e-6


def test_a_clock_that_stands_still_fills_nothing() -> None:
    bucket = Bucket(10.0, 1.0)
    assert bucket.take(5.0)
    assert not bucket.take(4.0)
