"""Questions at the door: who is asked what, and whether an answer is one. Pure.

The age check is a question of its own kind: key `age`, answered by yes or no after an
operator has seen an ID. Its yes is kept with the operator, no date of birth is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec

AGE = "age"
TEXT_LENGTH_MAX = 500

Kind = Literal["text", "number", "choice", "yes_no", "date"]


class Option(msgspec.Struct, frozen=True):
    """One possible answer of a `choice`; texts by language."""

    value: str
    text: dict[str, str] = {}


class Question(msgspec.Struct, frozen=True):
    """A question to people of a type or class, or at a scope (None: all).

    `every_time`: asked at each entry, not only until the ticket has an answer.
    `years`: of the age check, whose id is None.
    """

    id: UUID | None
    no: int
    kind: Kind
    text: dict[str, str] = {}
    required: bool = True
    every_time: bool = False
    options: tuple[Option, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    scope_id: UUID | None = None
    ticket_type_id: UUID | None = None
    access_class: str | None = None
    years: int = 0

    @property
    def key(self) -> str:
        """Its name in a scan's `answers`."""
        return AGE if self.id is None else str(self.id)


class Given(msgspec.Struct, frozen=True):
    """An answer to be stored with the scan; `question_id` None is the age check."""

    question_id: UUID | None
    value: str | float | bool
    years: int = 0


def age_check(years: int) -> Question:
    """The question after an ID."""
    return Question(None, 0, "yes_no", years=years)


def accepted(question: Question, value: Any) -> str | float | bool | None:
    """The answer as it is stored; None if it is none (of another type, not offered)."""
    match question.kind:
        case "yes_no":
            return value if isinstance(value, bool) else None
        case "number":
            return _number(question, value)
        case "text":
            text = value.strip() if isinstance(value, str) else ""
            fits = 0 < len(text) <= TEXT_LENGTH_MAX and "\0" not in text
            return text if fits else None
        case "choice":
            offered = {option.value for option in question.options}
            return value if isinstance(value, str) and value in offered else None
        case "date":
            return _date(value)


def _number(question: Question, value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    low = -math.inf if question.minimum is None else question.minimum
    high = math.inf if question.maximum is None else question.maximum
    return value if math.isfinite(value) and low <= value <= high else None


def _date(value: Any) -> str | None:
    try:
        return date.fromisoformat(value).isoformat() if len(value) == 10 else None
    except (TypeError, ValueError):
        return None


def settle(
    questions: tuple[Question, ...],
    answers: Mapping[str, Any] | None,
    answered: tuple[int, ...],
) -> tuple[tuple[Question, ...], tuple[Given, ...]]:
    """What is still open, and what was answered now.

    Without `answers` everything that the ticket has no answer to is asked; a scan that
    carries `answers` settles the optional ones, whatever it says of them, unless the
    answer is wrong. A required one stays open until its answer is right. A right answer
    is always kept, also to a question that was answered before.
    """
    open_now: list[Question] = []
    given: list[Given] = []
    for question in questions:
        known = question.no in answered and not question.every_time
        said = answers.get(question.key) if answers else None
        value = None if said is None else accepted(question, said)
        if value is not None:
            given.append(Given(question.id, value))
        elif not known and (answers is None or question.required or said is not None):
            open_now.append(question)
    return tuple(open_now), tuple(given)
