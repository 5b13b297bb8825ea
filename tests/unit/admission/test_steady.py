"""When a store counts as back: a slow success counts, a failure starts anew."""

from __future__ import annotations

from ops.admission.steady import QUICK_S, Steady, counts_as_back

WANTED_S = 10.0


def back_at(probes: list[tuple[float, float | None]]) -> float | None:
    """When the store counts as back; probes are (when, how long; None: it failed)."""
    steady = Steady()
    for now_s, took_s in probes:
        if took_s is None:
            steady.breaks("store")
        elif counts_as_back(steady.holds("store", now_s), WANTED_S, took_s):
            return now_s
    return None


def test_ten_seconds_of_successes() -> None:
    assert back_at([(float(n), 0.01) for n in range(20)]) == 10.0


def test_a_slow_success_in_between_costs_nothing() -> None:
    probes = [(float(n), 1.5 if n % 3 == 1 else 0.01) for n in range(20)]
    assert back_at(probes) == 11.0, "at 10 s it was slow"


def test_a_failure_starts_anew() -> None:
    probes = [(float(n), None if n == 7 else 0.01) for n in range(30)]
    assert back_at(probes) == 18.0


def test_nobody_goes_back_to_a_store_that_is_always_slow() -> None:
    """The door would lose it with its first batch again."""
    assert back_at([(float(n), QUICK_S + 0.1) for n in range(60)]) is None


def test_what_holds_is_known_by_what_it_is() -> None:
    steady = Steady()
    assert (steady.holds("a", 1.0), steady.holds("b", 2.0)) == (0.0, 0.0)
    assert (steady.holds("a", 5.0), steady.holds("b", 5.0)) == (4.0, 3.0)
    steady.clear()
    assert steady.holds("a", 6.0) == 0.0
