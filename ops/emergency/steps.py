"""Which step of an emergency may be taken now, and by whom. Pure.

    start (stop) -> freeze -> publish -> all-clear -> reopen -> close

Freezing and publishing may come in either order, because nobody must wait for a list
before people are told to leave; publishing may be repeated with another text. The
all-clear opens no door: reopening is a step of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

HELD_MS_MIN: Final = 2_000
"""So long each step is held: a sleeve does not clear a hall."""

Step = Literal["start", "freeze", "publish", "all_clear", "reopen", "close"]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What was done of an emergency, from its row."""

    drill: bool
    two_people: bool
    started_at: datetime
    started_by: UUID | None = None
    started_operator_id: UUID | None = None
    stopped_at: datetime | None = None
    frozen_at: datetime | None = None
    published_at: datetime | None = None
    cleared_at: datetime | None = None
    reopened_at: datetime | None = None
    readmitted_at: datetime | None = None
    closed_at: datetime | None = None


class Person(msgspec.Struct, frozen=True):
    """Who acts: a user, or the operator at a device."""

    user_id: UUID | None = None
    operator_id: UUID | None = None


def refusal(
    state: State | None, step: Step, who: Person, *, readmit: bool = False
) -> str | None:
    """Why a step cannot be taken; None where it may be, again too.

    `no_emergency`, `needs_second_person`, `already_clear`, `clear_first`,
    `freeze_first` (nobody is known who could be let in again), `reopen_first`.
    """
    if state is None or state.closed_at is not None:
        return None if step == "start" else "no_emergency"
    match step:
        case "freeze" if state.cleared_at and not state.frozen_at:
            return "already_clear"
        case "publish":
            if state.cleared_at:
                return "already_clear"
            if state.two_people and who == _starter(state):
                return "needs_second_person"
        case "reopen":
            if not state.cleared_at:
                return "clear_first"
            if readmit and not state.frozen_at:
                return "freeze_first"
        case "close":
            if not state.cleared_at:
                return "clear_first"
            if state.stopped_at and not state.reopened_at and not state.drill:
                return "reopen_first"
    return None


def next_steps(state: State | None, who: Person) -> list[str]:
    """The steps that may be taken now and have not been."""
    if state is None or state.closed_at is not None:
        return ["start"]
    done = {
        "freeze": state.frozen_at,
        "all_clear": state.cleared_at,
        "reopen": state.reopened_at,
    }
    order: tuple[Step, ...] = ("freeze", "publish", "all_clear", "reopen", "close")
    return [
        step
        for step in order
        if not done.get(step)
        and refusal(state, step, who) is None
        and not (step == "reopen" and state.drill)
    ]


def _starter(state: State) -> Person:
    return Person(state.started_by, state.started_operator_id)
