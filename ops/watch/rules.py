"""The catalogue of rules: what is an alert, from which value on, until which. Pure.

A rule looks at a value of a subject (the percent of an area, the battery of a device).
It is raised when the value has reached `threshold` for `for_s` seconds without a break,
and ends when it has been beyond `clear_at` for `clear_s`: the distance between the two
keeps a value that wavers from ringing each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

Unit = Literal["percent", "seconds", "minutes", "count"]
Gravity = Literal["info", "warn", "bad"]
PERIOD_S_MAX = 86_400


class Rule(msgspec.Struct, frozen=True):
    """A rule as everybody has it who sets nothing else.

    `below`: it is raised at values that are at most the threshold (a battery).
    `pattern`: it reads far back in the log, so it is looked at every ten seconds.
    `low`, `high`: between these a threshold may be set.
    `parent`: the graver rule that says the same of the same subject.
    """

    name: str
    gravity: Gravity
    unit: Unit
    threshold: float
    clear_at: float
    for_s: int = 0
    clear_s: int = 0
    below: bool = False
    pattern: bool = False
    low: float = 0
    high: float = 100_000
    parent: str | None = None

    def reached(self, value: float, limit: float) -> bool:
        """Whether a value is where the rule speaks up."""
        return value <= limit if self.below else value >= limit

    def worse(self, one: float, other: float) -> bool:
        """Whether the first value is further beyond the threshold than the other."""
        return one < other if self.below else one > other

    def left(self, value: float, clear_at: float) -> bool:
        """Whether a value is beyond where the rule falls silent."""
        return value > clear_at if self.below else value < clear_at


class Setting(msgspec.Struct, frozen=True):
    """A rule's numbers at one event."""

    enabled: bool
    threshold: float
    clear_at: float
    for_s: int
    clear_s: int


_ALL = (
    Rule(
        "capacity_80",
        "info",
        "percent",
        80,
        76,
        clear_s=30,
        low=1,
        high=200,
        parent="capacity_95",
    ),
    Rule(
        "capacity_95",
        "warn",
        "percent",
        95,
        92,
        clear_s=30,
        low=1,
        high=200,
        parent="area_full",
    ),
    Rule("area_full", "bad", "percent", 100, 97, clear_s=10, low=1, high=200),
    # The drop of the last 3 minutes against the 10 before, if 3 sigma agree (door.md).
    Rule(
        "gate_drop",
        "warn",
        "percent",
        20,
        10,
        clear_s=60,
        low=5,
        high=100,
        parent="gate_silent",
    ),
    # How many were expected while nobody came.
    Rule("gate_silent", "bad", "count", 10, 1, low=3, high=1_000),
    # Minutes until the session begins.
    Rule("speaker_missing", "warn", "minutes", 45, 46, below=True, low=1, high=1_440),
    # Registered people beyond the seats of a session whose room was made smaller.
    Rule("too_many_registered", "warn", "count", 1, 1, low=1, high=100_000),
    # Minutes since the beginning of a shift whose person is not at the gate.
    Rule("shift_missing", "warn", "minutes", 5, 1, low=1, high=240),
    Rule("vip_arrived", "info", "count", 1, 1, low=1, high=1),
    Rule("party_arrived", "info", "count", 1, 1, low=1, high=500),
    # Somebody was put out: an alert until the incident is closed, 20 minutes at most.
    Rule("ejected", "warn", "count", 1, 1, low=1, high=1),
    Rule("unsent_scans", "warn", "count", 1, 1, for_s=300, low=1, high=10_000),
    Rule(
        "refused_at_gates",
        "warn",
        "count",
        3,
        2,
        pattern=True,
        low=2,
        high=20,
        parent="two_gates_fast",
    ),
    Rule("voided_inside", "bad", "count", 1, 1, pattern=True, low=1, high=1),
    Rule("device_gone", "bad", "seconds", 120, 60, low=60, high=86_400),
    Rule(
        "low_battery",
        "warn",
        "percent",
        15,
        20,
        below=True,
        low=1,
        high=90,
        parent="device_gone",
    ),
    Rule(
        "sync_behind", "warn", "seconds", 5, 1, for_s=5, clear_s=5, low=1, high=86_400
    ),
    Rule("journal_mode", "bad", "count", 1, 1, low=1, high=1),
    # Since when a machine has not had all of its journals in the record (mode D).
    Rule(
        "journal_behind",
        "bad",
        "seconds",
        15,
        5,
        for_s=5,
        clear_s=5,
        low=1,
        high=86_400,
    ),
    # Refused in five minutes at a gate, where that is a quarter of the attempts.
    Rule("refusal_burst", "warn", "count", 10, 5, clear_s=60, low=3, high=1_000),
    # Seconds between two gates, unless the walk between them is set.
    Rule(
        "two_gates_fast",
        "bad",
        "seconds",
        60,
        60,
        below=True,
        pattern=True,
        low=1,
        high=3_600,
    ),
    Rule("code_guessing", "bad", "count", 8, 3, pattern=True, low=3, high=1_000),
    Rule("order_duplicates", "warn", "count", 4, 2, pattern=True, low=2, high=100),
    Rule("override_rate", "warn", "count", 6, 3, pattern=True, low=2, high=1_000),
    Rule(
        "refund_then_scan",
        "warn",
        "count",
        1,
        1,
        pattern=True,
        low=1,
        high=20,
        parent="voided_inside",
    ),
    Rule(
        "queue_wait",
        "warn",
        "minutes",
        5,
        3,
        for_s=60,
        clear_s=60,
        low=1,
        high=120,
    ),
)

RULES: dict[str, Rule] = {rule.name: rule for rule in _ALL}

RANKS: dict[Gravity, int] = {"bad": 0, "warn": 1, "info": 2}
"""The order in which people should look; what is for information asks for nobody."""


def covered_by(name: str) -> list[str]:
    """The graver rules that make an alert of this one of the same subject one case."""
    found: list[str] = []
    parent = RULES[name].parent
    while parent is not None:
        found.append(parent)
        parent = RULES[parent].parent
    return found


STATES = frozenset(name for name, rule in RULES.items() if not rule.pattern)
PATTERNS = frozenset(name for name, rule in RULES.items() if rule.pattern)

CASES = frozenset(
    {
        "two_gates_fast",
        "refused_at_gates",
        "order_duplicates",
        "refund_then_scan",
        "code_guessing",
        "voided_inside",
        "override_rate",
        "ejected",
    }
)
"""Alerts that are cases: their scans make a record of evidence."""


def standard(rule: Rule) -> Setting:
    """What holds where nobody set anything."""
    return Setting(True, rule.threshold, rule.clear_at, rule.for_s, rule.clear_s)


def settings_of(chosen: Iterable[tuple[str, Setting]]) -> dict[str, Setting]:
    """The settings of an event: the catalogue, with what was chosen over it.

    A rule that this release does not know is passed over.
    """
    found = {name: standard(rule) for name, rule in RULES.items()}
    found.update({name: setting for name, setting in chosen if name in RULES})
    return found


def problem_of(rule: Rule, setting: Setting) -> str | None:
    """The field that cannot be as it was chosen; None if all is well."""
    if not rule.low <= setting.threshold <= rule.high:
        return "threshold"
    beyond = (
        setting.clear_at < setting.threshold
        if rule.below
        else setting.clear_at > setting.threshold
    )
    if beyond or setting.clear_at < 0:
        return "clear_at"
    if not 0 <= setting.for_s <= PERIOD_S_MAX:
        return "for_s"
    return None if 0 <= setting.clear_s <= PERIOD_S_MAX else "clear_s"
