"""Raised once, ended once, whatever a value does in between."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.watch.evaluate import SUBJECTS_MAX, Memory, Observation, step
from ops.watch.rules import (
    RANKS,
    RULES,
    Rule,
    Setting,
    covered_by,
    problem_of,
    settings_of,
    standard,
)


@dataclass
class Evening:
    """Steps of one rule and subject, a second apart."""

    rule: str
    setting: Setting
    memory: Memory = field(default_factory=dict)
    at_s: float = 0.0
    raised: int = 0
    cleared: int = 0

    def see(self, value: float | None, later_s: float = 1.0) -> None:
        self.at_s += later_s
        seen = [] if value is None else [Observation(self.rule, "x", value)]
        done = step(
            self.memory,
            seen,
            settings_of([(self.rule, self.setting)]),
            [self.rule],
            self.at_s,
        )
        self.memory = done.memory
        self.raised += len(done.raised)
        self.cleared += len(done.cleared)

    @property
    def open(self) -> bool:
        return self.raised > self.cleared


def evening(rule: str, **changes: float) -> Evening:
    chosen = standard(RULES[rule])
    values = {name: getattr(chosen, name) for name in Setting.__struct_fields__}
    return Evening(rule, Setting(**{**values, **changes}))  # type: ignore[arg-type]


def test_a_value_that_wavers_at_the_threshold_rings_once() -> None:
    house = evening("capacity_95", clear_s=0)
    for n in range(200):
        house.see(95.2 if n % 2 else 94.8)
    assert (house.raised, house.cleared) == (1, 0)


def test_without_the_distance_it_rings_again_and_again() -> None:
    """Negative control: the same evening, ended where it was raised."""
    house = evening("capacity_95", clear_at=95, clear_s=0)
    for n in range(200):
        house.see(95.2 if n % 2 else 94.8)
    assert house.raised == 100


def test_without_the_time_a_short_dip_ends_it() -> None:
    with_time, without = evening("capacity_95"), evening("capacity_95", clear_s=0)
    for house in (with_time, without):
        for value in (96, 96, 90, 96, 96, 90, 96):
            house.see(value)
    assert (with_time.raised, without.raised) == (1, 3)


def test_it_must_hold_without_a_break_before_it_rings() -> None:
    house = evening("unsent_scans")
    for _ in range(10):
        house.see(4, 29)  # 290 s
    assert house.raised == 0
    house.see(0, 1)
    house.see(4, 1)
    house.see(4, 299)
    assert house.raised == 0
    house.see(4, 2)
    assert house.raised == 1


def test_a_battery_is_raised_below_and_ends_above() -> None:
    house = evening("low_battery")
    for value in (60, 16, 15, 16, 19, 15, 20):
        house.see(value)
    assert (house.raised, house.cleared) == (1, 0)
    house.see(21)
    assert house.cleared == 1


def test_what_is_not_observed_any_more_has_ended() -> None:
    house = evening("vip_arrived")
    house.see(1)
    house.see(None)
    assert (house.raised, house.cleared) == (1, 1)
    assert house.memory == {}


def test_a_rule_that_is_switched_off_ends_its_alerts() -> None:
    house = evening("device_gone")
    house.see(300)
    house.setting = Setting(False, 120, 60, 0, 0)
    house.see(300)
    assert (house.raised, house.cleared) == (1, 1)


def test_other_rules_keep_their_memory() -> None:
    house = evening("device_gone")
    house.see(300)
    done = step(house.memory, [], settings_of([]), ["low_battery"], 9.0)
    assert done.memory == house.memory
    assert done.cleared == []


def test_what_changes_while_open_is_told_once() -> None:
    settings = settings_of([])
    first = step({}, [Observation("area_full", "a", 100)], settings, ["area_full"], 1)
    same = step(
        first.memory, [Observation("area_full", "a", 100)], settings, ["area_full"], 2
    )
    other = step(
        same.memory, [Observation("area_full", "a", 99)], settings, ["area_full"], 3
    )
    assert (len(first.raised), same.changed, len(other.changed)) == (1, [], 1)


@pytest.mark.parametrize(
    ("rule", "values", "worst"),
    [
        ("area_full", [100, 104, 101, 23.8], 104),
        ("area_full", [100, 23.8], 100),
        ("low_battery", [14, 9, 12, 80], 9),
        ("device_gone", [300, 400, None], None),
    ],
)
def test_it_ends_with_its_worst_and_not_with_what_ended_it(
    rule: str, values: list[float | None], worst: float | None
) -> None:
    memory: Memory = {}
    for at_s, value in enumerate(values):
        seen = [] if value is None else [Observation(rule, "a", value)]
        done = step(memory, seen, settings_of([]), [rule], at_s)
        memory = done.memory
    seen = [] if values[-1] is None else [Observation(rule, "a", values[-1])]
    done = step(memory, seen, settings_of([]), [rule], 10_000) if memory else done
    assert done.cleared == [(rule, "a")]
    # None: what it says already is its worst.
    assert [one.value for one in done.changed][-1:] == ([worst] if worst else [])


def test_the_limit_of_an_observation_stands_in_for_the_threshold() -> None:
    settings = settings_of([])
    rule = ["two_gates_fast"]
    far = Observation("two_gates_fast", "t", 200, limit=300)
    assert len(step({}, [far], settings, rule, 1).raised) == 1
    near = Observation("two_gates_fast", "t", 200)
    assert step({}, [near], settings, rule, 1).raised == []


def test_one_rule_has_a_bounded_number_of_subjects() -> None:
    seen = [Observation("device_gone", str(n), 500) for n in range(SUBJECTS_MAX + 50)]
    done = step({}, seen, settings_of([]), ["device_gone"], 1)
    assert len(done.raised) == SUBJECTS_MAX
    # Others that came do not end those that stand.
    new = [Observation("device_gone", f"a{n}", 500) for n in range(SUBJECTS_MAX)]
    again = step(done.memory, [*new, *seen], settings_of([]), ["device_gone"], 2)
    assert (again.raised, again.cleared) == ([], [])


def test_what_is_quiet_takes_no_place_of_what_is_not() -> None:
    """The last of many devices rings too."""
    full = [Observation("low_battery", str(n), 90) for n in range(SUBJECTS_MAX + 50)]
    empty = Observation("low_battery", "last", 5)
    done = step({}, [*full, empty], settings_of([]), ["low_battery"], 1)
    assert done.raised == [empty]


@given(
    rule=st.sampled_from(sorted(RULES)),
    values=st.lists(
        st.one_of(st.none(), st.floats(0, 200, allow_nan=False)), max_size=60
    ),
    gaps=st.lists(st.floats(0.1, 400, allow_nan=False), min_size=60, max_size=60),
)
def test_raised_and_cleared_take_turns(
    rule: str, values: list[float | None], gaps: list[float]
) -> None:
    house = evening(rule)
    for value, gap in zip(values, gaps, strict=False):
        house.see(value, gap)
        assert house.raised - house.cleared in (0, 1)
        held = house.memory.get(rule, {}).get("x")
        assert house.open == bool(held and held.open)


@given(st.lists(st.floats(92.0, 95.0), min_size=1, max_size=80))
def test_between_the_two_marks_nothing_changes(values: list[float]) -> None:
    """Once raised, values between `clear_at` and the threshold never end it."""
    house = evening("capacity_95", clear_s=0)
    house.see(97)
    for value in values:
        house.see(value)
    assert (house.raised, house.cleared) == (1, 0)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_the_catalogue_keeps_its_own_bounds(rule: Rule) -> None:
    assert problem_of(rule, standard(rule)) is None
    assert rule.parent is None or rule.parent in RULES
    # One case has one alert, and that is never the lesser one.
    for graver in covered_by(rule.name):
        assert RANKS[RULES[graver].gravity] <= RANKS[rule.gravity]


def test_numbers_that_cannot_be_are_named() -> None:
    rule = RULES["capacity_95"]
    assert problem_of(rule, Setting(True, 500, 92, 0, 0)) == "threshold"
    assert problem_of(rule, Setting(True, 95, 96, 0, 0)) == "clear_at"
    assert problem_of(rule, Setting(True, 95, 92, -1, 0)) == "for_s"
    assert problem_of(rule, Setting(True, 95, 92, 0, 90_000)) == "clear_s"
    assert problem_of(RULES["low_battery"], Setting(True, 15, 10, 0, 0)) == "clear_at"
