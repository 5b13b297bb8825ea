"""Answers at the door: whatever a device sends, what is kept is of the right kind."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ops.admission.questions import (
    AGE,
    Kind,
    Option,
    Question,
    accepted,
    age_check,
    settle,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def question(kind: Kind, no: int = 1, *, required: bool = True) -> Question:
    offered = (Option("fish"), Option("vegan"))
    return Question(UUID(int=no), no, kind, required=required, options=offered)


@given(ANYTHING)
def test_an_answer_is_of_its_kind_or_none(said: Any) -> None:
    assert type(accepted(question("yes_no"), said)) in (bool, type(None))
    assert accepted(question("choice"), said) in ("fish", "vegan", None)
    assert type(accepted(question("number"), said)) in (int, float, type(None))
    text = accepted(question("text"), said)
    assert text is None or (isinstance(text, str) and text == text.strip() != "")
    day = accepted(question("date"), said)
    assert day is None or day == said


@given(st.dictionaries(st.sampled_from([str(UUID(int=1)), AGE, "x"]), ANYTHING))
def test_each_question_is_open_or_answered_or_left_open(answers: Any) -> None:
    asked = question("choice", required=True)
    still, now = settle((asked,), answers, ())
    assert (still == (asked,)) != (len(now) == 1)


def test_what_was_answered_before_is_not_asked() -> None:
    first, second = question("text", 1), question("text", 2)
    assert settle((first, second), None, (1,)) == ((second,), ())


def test_optional_ones_are_settled_by_any_answers() -> None:
    asked = question("text", required=False)
    assert settle((asked,), None, ()) == ((asked,), ())
    assert settle((asked,), {}, ()) == ((), ())


def test_the_key_of_the_age_check() -> None:
    assert age_check(19).key == AGE
    assert question("text", 3).key == str(UUID(int=3))


def test_a_text_that_no_database_takes_is_no_answer() -> None:
    assert accepted(question("text"), "a\x00b") is None
