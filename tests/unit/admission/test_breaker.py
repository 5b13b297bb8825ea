"""The breaker: when a store is left alone, and when it is asked again."""

from __future__ import annotations

from ops.admission.breaker import Breaker


def test_one_failure_is_not_an_outage() -> None:
    breaker = Breaker()
    breaker.failed(10.0)
    assert not breaker.open
    assert breaker.allows(10.0)


def test_two_failures_in_a_row_open_it() -> None:
    breaker = Breaker()
    breaker.failed(10.0)
    breaker.failed(10.01)
    assert breaker.open
    assert not breaker.allows(10.02)


def test_a_success_between_them_does_not() -> None:
    breaker = Breaker()
    breaker.failed(10.0)
    breaker.succeeded()
    breaker.failed(10.01)
    assert not breaker.open


def test_silence_opens_it_before_the_count_does() -> None:
    breaker = Breaker(failures_max=100, silence_s=0.15)
    breaker.failed(10.0)
    breaker.failed(10.1)
    assert not breaker.open
    breaker.failed(10.15)
    assert breaker.open


def test_silence_is_counted_from_the_first_failure_after_a_success() -> None:
    breaker = Breaker(failures_max=100, silence_s=0.15)
    breaker.failed(10.0)
    breaker.succeeded()
    breaker.failed(10.2)
    assert not breaker.open


def test_one_probe_at_a_time_while_it_is_open() -> None:
    breaker = Breaker(probe_s=0.5)
    breaker.failed(10.0)
    breaker.failed(10.0)
    assert [breaker.allows(10.0 + n / 10) for n in range(12)] == [
        n in (5, 10) for n in range(12)
    ]


def test_a_probe_that_fails_waits_again_and_one_that_succeeds_closes_it() -> None:
    breaker = Breaker(probe_s=0.5)
    breaker.failed(10.0)
    breaker.failed(10.0)
    assert breaker.allows(10.5)
    breaker.failed(10.6)
    assert not breaker.allows(11.0)
    assert breaker.allows(11.1)
    breaker.succeeded()
    assert breaker.allows(11.1)
    assert not breaker.open
