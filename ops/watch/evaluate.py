"""The evaluator: what was held and what is observed now make what is raised. Pure.

`step` is given all observations of some rules. A subject of these rules that is not
observed any more counts as having left its threshold. Times are seconds since 1970 of
one clock (PostgreSQL's), so that any process may take the next step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from ops.watch.rules import RULES, Rule, Setting

SUBJECTS_MAX = 200
"""Of one rule at once: more are one trouble, not two hundred."""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an alert is about, by ids."""

    gate_id: UUID | None = None
    area_id: UUID | None = None
    device_id: UUID | None = None
    operator_id: UUID | None = None
    ticket_id: UUID | None = None
    session_id: UUID | None = None


NOWHERE = Place()


class Observation(msgspec.Struct, frozen=True):
    """A value of a rule's subject; `limit` stands in for the rule's threshold.

    `args` say more to people: numbers, ids and stable words, never names.
    """

    rule: str
    subject: str
    value: float
    place: Place = NOWHERE
    args: dict[str, Any] = {}
    limit: float | None = None


class Held(msgspec.Struct, omit_defaults=True):
    """What is remembered of a rule's subject.

    `since_s`: since when the threshold is reached, `left_s`: since when it is left;
    `open`: an alert stands; `told`: the value and args that it shows; `worst`: those
    that it ends with, since nobody was told of "full at 23 %".
    """

    since_s: float | None = None
    left_s: float | None = None
    open: bool = False
    told: tuple[float, dict[str, Any]] | None = None
    worst: tuple[float, dict[str, Any]] | None = None


Memory = dict[str, dict[str, Held]]
"""By rule, by subject."""


class Step(NamedTuple):
    """What came of a step, to be written in the order of changed, cleared, raised.

    `changed` are told by value and args, `cleared` are pairs of rule and subject.
    """

    memory: Memory
    raised: list[Observation]
    changed: list[Observation]
    cleared: list[tuple[str, str]]


def step(
    memory: Memory,
    observations: Iterable[Observation],
    settings: Mapping[str, Setting],
    rules: Iterable[str],
    now_s: float,
) -> Step:
    """Take one step for `rules`; what is remembered of others stays as it is."""
    looked = set(rules)

    def new(one: Observation) -> bool:
        return one.subject not in memory.get(one.rule, {})

    done = Step({k: v for k, v in memory.items() if k not in looked}, [], [], [])
    seen: dict[str, dict[str, Observation]] = {}
    # Who is remembered first: that others came must not end an alert. And what is quiet
    # takes no place of what is not.
    for one in sorted(observations, key=new):
        of_rule = seen.setdefault(one.rule, {})
        room = len(of_rule) < SUBJECTS_MAX
        rings = _reached(RULES[one.rule], settings[one.rule], one)
        if not new(one) or one.subject in of_rule or (room and rings):
            of_rule[one.subject] = one
    for name in sorted(looked):
        rule, setting = RULES[name], settings[name]
        before, now = memory.get(name, {}), seen.get(name, {})
        kept: dict[str, Held] = {}
        for subject in sorted(before.keys() | now.keys()):
            held = before.get(subject, Held())
            after = _one(done, rule, setting, held, now.get(subject), now_s, subject)
            if after is not None:
                kept[subject] = after
        if kept:
            done.memory[name] = kept
    return done


def _reached(rule: Rule, setting: Setting, seen: Observation) -> bool:
    limit = setting.threshold if seen.limit is None else seen.limit
    return rule.reached(seen.value, limit)


def _one(
    done: Step,
    rule: Rule,
    setting: Setting,
    held: Held,
    seen: Observation | None,
    now_s: float,
    subject: str,
) -> Held | None:
    """The next memory of a subject; None: there is nothing to remember."""
    if not setting.enabled:
        if held.open:
            done.cleared.append((rule.name, subject))
        return None
    if held.open:
        return _open(done, rule, setting, held, seen, now_s, subject)
    if seen is None or not _reached(rule, setting, seen):
        return None
    since_s = now_s if held.since_s is None else held.since_s
    if now_s - since_s < setting.for_s:
        return Held(since_s=since_s)
    done.raised.append(seen)
    told = (seen.value, seen.args)
    return Held(since_s=since_s, open=True, told=told, worst=told)


def _open(
    done: Step,
    rule: Rule,
    setting: Setting,
    held: Held,
    seen: Observation | None,
    now_s: float,
    subject: str,
) -> Held | None:
    clear_at = setting.clear_at
    if seen is not None and seen.limit is not None:
        clear_at = seen.limit
    told, worst = held.told, held.worst or held.told
    if seen is not None and told != (seen.value, seen.args):
        done.changed.append(seen)
        told = (seen.value, seen.args)
    if seen is not None and not rule.left(seen.value, clear_at):
        if worst is None or not rule.worse(worst[0], seen.value):
            worst = (seen.value, seen.args)
        return Held(since_s=held.since_s, open=True, told=told, worst=worst)
    left_s = now_s if held.left_s is None else held.left_s
    if now_s - left_s >= setting.clear_s:
        if worst is not None and worst != told:
            value, args = worst
            done.changed.append(Observation(rule.name, subject, value, args=args))
        done.cleared.append((rule.name, subject))
        return None
    return Held(since_s=held.since_s, left_s=left_s, open=True, told=told, worst=worst)
